"""One frozen description of a decoder.

Everything that differs between the families is a field here; the decoder has no family names.
"""

from dataclasses import dataclass
from typing import Literal

from inference.pooling.folder import ModelRefused

Scoring = Literal["softmax", "softmax_of_chosen", "sigmoid"]


class UnsupportedModel(ModelRefused):
    """The architecture or an option of it is not served here."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not served by this server; run it on vLLM or SGLang "
            "behind the same gateway."
        )


@dataclass(frozen=True, slots=True)
class RopeSpec:
    """Rotary positions; `interleaved` means pairs lie side by side in the checkpoint."""

    theta: float
    dim: int
    kind: str = "default"
    factor: float = 1.0
    original_positions: int = 0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    truncate: bool = True
    attention_factor: float = 1.0
    interleaved: bool = False


@dataclass(frozen=True, slots=True)
class MlaSpec:
    """Latent attention: what is cached per token is `kv_rank + rope_dim` numbers."""

    q_rank: int | None
    kv_rank: int
    nope_dim: int
    rope_dim: int
    v_dim: int


@dataclass(frozen=True, slots=True)
class MoeSpec:
    """Routed experts. Groups of 1 mean no group limit; `group_best` scores a group."""

    experts: int
    top_k: int
    width: int
    shared_width: int = 0
    scoring: Scoring = "softmax"
    normalize: bool = False
    scaling: float = 1.0
    groups: int = 1
    top_groups: int = 1
    group_best: int = 1
    has_correction: bool = False


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """`windows[i]` is the sliding window of layer i, None for full attention."""

    family: str
    vocab: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    mlp_width: int
    norm_eps: float
    max_positions: int
    rope: RopeSpec
    windows: tuple[int | None, ...]
    is_moe: tuple[bool, ...]
    attention_scale: float
    tie_embeddings: bool = False
    moe: MoeSpec | None = None
    mla: MlaSpec | None = None
    qkv_bias: bool = False
    o_bias: bool = False
    mlp_bias: bool = False
    qk_norm: Literal["none", "head", "all"] = "none"
    clip_qkv: float | None = None
    has_sinks: bool = False
    swiglu_limit: float | None = None
    swiglu_alpha: float = 1.0
    embedding_multiplier: float = 1.0
    residual_multiplier: float = 1.0
    logits_scale: float = 1.0
    eos_ids: tuple[int, ...] = ()

    @property
    def cache_width(self) -> int:
        """Numbers cached per token and layer."""
        if self.mla is not None:
            return self.mla.kv_rank + self.mla.rope_dim
        return 2 * self.kv_heads * self.head_dim
