"""A folder a server can load: a tiny random model and a byte-level tokenizer with a template."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE, WordLevel
from tokenizers.processors import TemplateProcessing

SPECIAL = ["<|im_start|>", "<|im_end|>"]
WORDS = ["<think>", "</think>", "<tool_call>", "</tool_call>"]
TEMPLATE = """
{%- if tools %}<|im_start|>tools
{%- for tool in tools %} {{ tool.function.name }}{% endfor %}<|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""


def checkpoint_save(folder: Path, *, context: int = 1024, phrases: Sequence[str] = ()) -> Path:
    """Random weights: what it says means nothing, how it is said is what a real one does. Each byte is a token, so
    an assistant's prompt needs a longer `context`. `phrases` are tokens of their own beside the bytes, for nonsense
    that has words and ends its sentences.
    """
    tokenizer_save(folder, phrases)
    torch.manual_seed(1)
    config = transformers.Qwen3MoeConfig(
        vocab_size=256 + len(SPECIAL) + len(WORDS) + len(phrases),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        num_experts=8,
        num_experts_per_tok=2,
        moe_intermediate_size=24,
        max_position_embeddings=context,
        eos_token_id=257,
    )
    model = transformers.Qwen3MoeForCausalLM(config)
    model.save_pretrained(folder)
    return folder


def reranker_save(folder: Path) -> Path:
    """A cross-encoder of the BERT kind."""
    words = {word: n for n, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])}
    words |= {f"w{n}": n for n in range(4, 60)}
    tokenizer = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "[PAD]",
        "sep_token": "[SEP]",
        "cls_token": "[CLS]",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    torch.manual_seed(2)
    config = transformers.BertConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=24,
        num_labels=1,
        initializer_range=0.4,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def tokenizer_save(folder: Path, phrases: Sequence[str] = ()) -> None:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(BPE({char: n for n, char in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(word, special=True) for word in SPECIAL])
    tokenizer.add_tokens([AddedToken(word, special=False) for word in [*WORDS, *phrases]])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
