"""A random GGUF file in Granite's shape, quantised to Q8_0, for measuring llama.cpp."""

from pathlib import Path
from typing import Any

import gguf  # type: ignore[import-not-found]
import numpy as np
from numpy.typing import NDArray

from inference.kernels.cpu_native import cache_folder

# A block is a float16 scale and 32 bytes.
BLOCK_BYTES = 34


def gguf_ready(config: dict[str, Any]) -> Path:
    """The file, written on first use into the user's cache."""
    path = cache_folder() / f"bench-granitemoe-{config['num_hidden_layers']}.gguf"
    if not path.is_file():
        partial = path.with_suffix(".partial")
        _write(partial, config)
        partial.replace(path)
    return path


def _write(path: Path, config: dict[str, Any]) -> None:
    writer = gguf.GGUFWriter(path, "granitemoe")
    head_dim = config["hidden_size"] // config["num_attention_heads"]
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(head_dim)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_expert_count(config["num_local_experts"])
    writer.add_expert_used_count(config["num_experts_per_tok"])
    writer.add_attention_scale(config["attention_multiplier"])
    writer.add_embedding_scale(config["embedding_multiplier"])
    writer.add_residual_scale(config["residual_multiplier"])
    writer.add_logit_scale(config["logits_scaling"])
    writer.add_tokenizer_model("none")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    for name, shape in _tensors(config, head_dim):
        if len(shape) == 1 or "gate_inp" in name:
            writer.add_tensor(name, np.full(shape, 1.0 if len(shape) == 1 else 0.02, np.float32))
        else:
            data = _q8_0(shape)
            writer.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tensors(config: dict[str, Any], head_dim: int) -> list[tuple[str, tuple[int, ...]]]:
    hidden, width = config["hidden_size"], config["intermediate_size"]
    experts, narrow = config["num_local_experts"], config["num_key_value_heads"] * head_dim
    found: list[tuple[str, tuple[int, ...]]] = [
        ("token_embd.weight", (config["vocab_size"], hidden)),
        ("output_norm.weight", (hidden,)),
    ]
    for layer in range(config["num_hidden_layers"]):
        parts: dict[str, tuple[int, ...]] = {
            "attn_norm": (hidden,),
            "attn_q": (hidden, hidden),
            "attn_k": (narrow, hidden),
            "attn_v": (narrow, hidden),
            "attn_output": (hidden, hidden),
            "ffn_norm": (hidden,),
            "ffn_gate_inp": (experts, hidden),
            "ffn_gate_exps": (experts, width, hidden),
            "ffn_up_exps": (experts, width, hidden),
            "ffn_down_exps": (experts, hidden, width),
        }
        found += [(f"blk.{layer}.{name}.weight", shape) for name, shape in parts.items()]
    return found


def _q8_0(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Random bytes whose scale makes them numbers of the usual size."""
    generator = np.random.default_rng(shape[-1])
    blocks = int(np.prod(shape)) // 32
    pool = generator.integers(0, 256, (min(blocks, 1 << 16), BLOCK_BYTES), dtype=np.uint8)
    scale = np.array([shape[-1] ** -0.5 / 74], np.float16).view(np.uint8)
    pool[:, :2] = scale
    repeated = np.resize(pool, (blocks, BLOCK_BYTES))
    return repeated.reshape(*shape[:-1], shape[-1] // 32 * BLOCK_BYTES)
