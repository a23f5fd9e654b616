"""Model shapes for measuring, with random weights: speed depends on sizes, not on values."""

import math
from typing import Any

import torch
from torch import Tensor

SHARED = {
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 32768,
    "bos_token_id": None,
    "eos_token_id": None,
}
GRANITE_1B_A400M: dict[str, Any] = SHARED | {
    "model_type": "granitemoe",
    "architectures": ["GraniteMoeForCausalLM"],
    "vocab_size": 49155,
    "hidden_size": 1024,
    "intermediate_size": 512,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "num_local_experts": 32,
    "num_experts_per_tok": 8,
    "attention_multiplier": 0.015625,
    "embedding_multiplier": 12.0,
    "residual_multiplier": 0.22,
    "logits_scaling": 6.0,
    "tie_word_embeddings": True,
}
QWEN3_30B_A3B: dict[str, Any] = SHARED | {
    "model_type": "qwen3_moe",
    "architectures": ["Qwen3MoeForCausalLM"],
    "vocab_size": 151936,
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "moe_intermediate_size": 768,
    "num_hidden_layers": 48,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "norm_topk_prob": True,
}
DEEPSEEK_V2_LITE: dict[str, Any] = SHARED | {
    "model_type": "deepseek_v2",
    "architectures": ["DeepseekV2ForCausalLM"],
    "vocab_size": 102400,
    "hidden_size": 2048,
    "intermediate_size": 10944,
    "moe_intermediate_size": 1408,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "n_routed_experts": 64,
    "n_shared_experts": 2,
    "num_experts_per_tok": 6,
    "first_k_dense_replace": 1,
    "q_lora_rank": None,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
}
POOL_SIZE = 1 << 22


class RandomSource:
    """A tensor source that answers every name with random numbers of the shape asked for.

    All tensors are cut from one pool, which is much faster than drawing a billion numbers.
    """

    def __init__(self, device: torch.device | str = "cpu", seed: int = 1) -> None:
        generator = torch.Generator().manual_seed(seed)
        self._pool = torch.randn(POOL_SIZE, generator=generator).to(device)
        self._offset = 0

    def has(self, name: str) -> bool:
        """Separate experts behind `mlp.gate`, no biases."""
        return name.endswith(("lm_head.weight", ".mlp.gate.weight", ".experts.0.gate_proj.weight"))

    def get(self, name: str, shape: tuple[int, ...] | None = None) -> Tensor:
        """Ones for norms, else normal numbers scaled by the input width."""
        if shape is None:
            raise ValueError(f"no shape is known for {name}")
        if "norm" in name:
            return torch.ones(shape, device=self._pool.device)
        size = math.prod(shape)
        if size > POOL_SIZE // 2:
            drawn = self._pool.repeat(-(-size // POOL_SIZE))[:size]
        else:
            self._offset = (self._offset + 7919) % (POOL_SIZE - size)
            drawn = self._pool[self._offset : self._offset + size]
        values: Tensor = drawn.view(shape) * shape[-1] ** -0.5
        return values

    def slice(self, name: str, index: int) -> Tensor:
        raise ValueError(f"{name}[{index}]: random experts are not stacked")
