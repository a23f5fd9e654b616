"""Tiny random checkpoints of every family, written by transformers and read by our loader."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from inference.bench.batches import SequenceChunk, batch_pack
from inference.model.cache import KvCache
from inference.model.decoder import Decoder
from inference.model.weights import load_model

BLOCK = 4
VOCAB = 96

BASE: dict[str, Any] = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}
MLA = BASE | {
    "num_key_value_heads": 4,
    "kv_lora_rank": 16,
    "q_lora_rank": None,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 12,
    "v_head_dim": 10,
    "n_routed_experts": 8,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 16,
    "n_shared_experts": 2,
    "first_k_dense_replace": 1,
}
YARN = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "original_max_position_embeddings": 64,
    "mscale": 1.0,
    "mscale_all_dim": 0.7,
    "beta_fast": 32,
    "beta_slow": 1,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", BASE),
    "llama-3": (
        "LlamaConfig",
        BASE | {"rope_parameters": LLAMA3, "tie_word_embeddings": True, "attention_bias": True},
    ),
    "qwen2": ("Qwen2Config", BASE),
    "qwen2-window": (
        "Qwen2Config",
        BASE | {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1},
    ),
    "qwen3": ("Qwen3Config", BASE | {"head_dim": 16}),
    "qwen3-moe": (
        "Qwen3MoeConfig",
        BASE
        | {
            "head_dim": 16,
            "num_experts": 8,
            "num_experts_per_tok": 3,
            "moe_intermediate_size": 24,
            "norm_topk_prob": True,
            "mlp_only_layers": [1],
        },
    ),
    "mixtral": ("MixtralConfig", BASE | {"sliding_window": 9, "head_dim": 8}),
    "olmoe": (
        "OlmoeConfig",
        BASE | {"num_experts": 8, "num_experts_per_tok": 3, "clip_qkv": 1.5},
    ),
    "granitemoe": (
        "GraniteMoeConfig",
        BASE
        | {
            "num_experts_per_tok": 3,
            "attention_multiplier": 0.2,
            "embedding_multiplier": 3.0,
            "residual_multiplier": 0.4,
            "logits_scaling": 2.0,
            "tie_word_embeddings": True,
        },
    ),
    "deepseek-v2": ("DeepseekV2Config", MLA),
    "deepseek-v2-grouped": (
        "DeepseekV2Config",
        MLA
        | {
            "q_lora_rank": 20,
            "topk_method": "group_limited_greedy",
            "n_group": 4,
            "topk_group": 2,
            "routed_scaling_factor": 1.5,
            "rope_parameters": YARN,
            "attention_bias": True,
        },
    ),
    "deepseek-v3": (
        "DeepseekV3Config",
        MLA
        | {
            "q_lora_rank": 20,
            "n_group": 4,
            "topk_group": 2,
            "routed_scaling_factor": 2.5,
            "rope_parameters": YARN,
        },
    ),
    "gpt-oss": (
        "GptOssConfig",
        BASE
        | {"head_dim": 16, "num_local_experts": 8, "num_experts_per_tok": 3, "sliding_window": 7},
    ),
}
# Used by single tests, not by the sweep over families.
EXTRA: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt-oss-wide": ("GptOssConfig", FAMILIES["gpt-oss"][1] | {"intermediate_size": 64}),
    # Wide enough that rounding errors average out as they do in real models.
    "granitemoe-wide": (
        "GraniteMoeConfig",
        FAMILIES["granitemoe"][1] | {"hidden_size": 256, "intermediate_size": 128},
    ),
    "llama-wide": (
        "LlamaConfig",
        BASE | {"hidden_size": 256, "intermediate_size": 256, "tie_word_embeddings": True},
    ),
}


@dataclass(frozen=True)
class Tiny:
    """A saved checkpoint and the transformers model it was saved from."""

    folder: Path
    reference: Any

    def load(self, **options: Any) -> Decoder:
        chosen = {"device": "cpu", "dtype": torch.float32, "quantization": "none"} | options
        return load_model(self.folder, **chosen)

    def logits(self, ids: list[int]) -> Tensor:
        """[len(ids), vocab] by transformers."""
        with torch.inference_mode():
            return self.reference(torch.tensor([ids])).logits[0].float()

    def greedy(self, ids: list[int], count: int) -> list[int]:
        with torch.inference_mode():
            out = self.reference.generate(
                torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.int64),
                max_new_tokens=count,
                do_sample=False,
            )
        return out[0, len(ids) :].tolist()


def tiny_save(folder: Path, family: str) -> Tiny:
    """Write a checkpoint whose routing is decided clearly, so rounding cannot change it."""
    class_name, options = (FAMILIES | EXTRA)[family]
    torch.manual_seed(len(family))
    config = getattr(transformers, class_name)(**options)
    config._attn_implementation = "eager"
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    model.set_experts_implementation("eager") if hasattr(
        model, "set_experts_implementation"
    ) else None
    # Sums stay of order one whatever the width, as in trained models.
    spread = 1.1 * config.hidden_size**-0.5
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            is_norm = "norm" in name
            is_clear = "router" in name or ".gate." in name or "embed_tokens" in name
            scale = 1.0 if is_clear else spread
            parameter.normal_(mean=1.0 if is_norm else 0.0, std=0.1 if is_norm else scale)
        for name, buffer in model.named_buffers():
            if name.endswith("e_score_correction_bias"):
                buffer.normal_(std=0.3)
    model.eval().save_pretrained(folder)
    return Tiny(folder, model)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("transformers").setLevel(logging.ERROR)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Tiny]:
    """Checkpoints by family, each written once per session."""
    made: dict[str, Tiny] = {}

    def get(family: str) -> Tiny:
        if family not in made:
            made[family] = tiny_save(tmp_path_factory.mktemp(family), family)
        return made[family]

    return get


class Session:
    """One cache and sequences in scattered blocks, driven a step at a time."""

    def __init__(
        self,
        decoder: Decoder,
        sequences: int = 1,
        length: int = 128,
        kept: torch.dtype | None = None,
    ) -> None:
        self.decoder = decoder
        per_sequence = length // BLOCK
        self.cache = KvCache(
            decoder.spec, sequences * per_sequence, BLOCK, decoder.device, kept or decoder.dtype
        )
        order = torch.randperm(
            sequences * per_sequence, generator=torch.Generator().manual_seed(3)
        ).tolist()
        self.blocks = [order[n::sequences] for n in range(sequences)]
        self.lengths = [0] * sequences

    def step(self, tokens: dict[int, list[int]], *, all_logits: bool = False) -> Tensor:
        """Feed new tokens by sequence number; logits [rows, vocab] in that order."""
        chunks = []
        for sequence, ids in tokens.items():
            start = self.lengths[sequence]
            self.lengths[sequence] += len(ids)
            used = self.blocks[sequence][: -(-self.lengths[sequence] // BLOCK)]
            chunks.append(SequenceChunk(ids, start, used, wants_all_logits=all_logits))
        return self.decoder.forward(batch_pack(chunks, BLOCK), self.cache)

    def greedy(self, ids: list[int], count: int, sequence: int = 0) -> list[int]:
        out = [int(self.step({sequence: ids})[-1].argmax())]
        while len(out) < count:
            out.append(int(self.step({sequence: out[-1:]})[-1].argmax()))
        return out


@pytest.fixture
def prompt() -> list[int]:
    return torch.randint(0, VOCAB, (23,), generator=torch.Generator().manual_seed(11)).tolist()
