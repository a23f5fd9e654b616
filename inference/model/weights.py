"""From a folder to a Decoder: one tensor at a time, in whatever names and layout it was saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from inference.kernels.cpu_native import GROUP
from inference.kernels.host_memory import memory_trim
from inference.model.attention import GroupedAttention
from inference.model.checkpoint import Checkpoint, TensorSource, config_read
from inference.model.decoder import Attention, Block, Decoder
from inference.model.expert_weights import experts_read
from inference.model.families import spec_from_config
from inference.model.layers import LinearOp, Mlp, RmsNorm
from inference.model.makers import Maker, Quantization, maker_for
from inference.model.mla import LatentAttention
from inference.model.moe import MoeBlock
from inference.model.paged import Scoring
from inference.model.rope import Rope, halves_order
from inference.model.router import Router
from inference.model.spec import MlaSpec, ModelSpec, MoeSpec

# The config's epsilon does not reach the norms inside latent attention.
LATENT_NORM_EPS = 1e-6
ROUTER_NAMES = ("gate", "router", "router.layer")


def load_model(
    folder: Path | str,
    *,
    device: torch.device | str,
    dtype: torch.dtype,
    quantization: Quantization = "auto",
) -> Decoder:
    """Load a Hugging Face folder; raises ModelRefused with a sentence for the operator.

    "auto" means int8 on a CPU and the dtype itself elsewhere.
    """
    folder = Path(folder)
    spec = spec_from_config(config_read(folder))
    with Checkpoint(folder) as checkpoint:
        return decoder_build(spec, checkpoint, maker_for(torch.device(device), dtype, quantization))


def weight_bytes(spec: ModelSpec, quantization: Literal["none", "int8"], dtype: torch.dtype) -> int:
    """Memory the loaded weights take, for the plan printed before loading."""
    dense, kept = _parameter_counts(spec)
    table = spec.vocab * spec.hidden
    if quantization == "int8":
        # Head and embedding share one int8 table when tied; an untied embedding stays mapped.
        embedding = 0 if spec.tie_embeddings else table * 2
        sums = (dense + table) * 4 // GROUP
        return dense + table + sums + embedding + kept * 4
    return (dense + kept + table * (1 if spec.tie_embeddings else 2)) * dtype.itemsize


def _parameter_counts(spec: ModelSpec) -> tuple[int, int]:
    """Parameters in linear layers, and in parts that stay in float."""
    dense = kept = 0
    for is_moe in spec.is_moe:
        if spec.mla is not None:
            mla = spec.mla
            wide = spec.heads * (mla.nope_dim + mla.rope_dim)
            dense += wide * spec.hidden if mla.q_rank is None else mla.q_rank * (spec.hidden + wide)
            dense += spec.hidden * spec.cache_width + spec.heads * mla.v_dim * spec.hidden
            kept += spec.heads * (mla.nope_dim + mla.v_dim) * mla.kv_rank
        else:
            dense += spec.hidden * spec.head_dim * 2 * (spec.heads + spec.kv_heads)
        if is_moe and spec.moe is not None:
            width = spec.moe.experts * spec.moe.width + spec.moe.shared_width
            dense += 3 * spec.hidden * width
            kept += spec.moe.experts * spec.hidden
        else:
            dense += 3 * spec.hidden * spec.mlp_width
    return dense, kept


def decoder_build(spec: ModelSpec, source: TensorSource, maker: Maker) -> Decoder:
    """Assemble the decoder, block by block."""
    table_shape = (spec.vocab, spec.hidden)
    table = source.get("model.embed_tokens.weight", table_shape)
    has_head = not spec.tie_embeddings and source.has("lm_head.weight")
    embed, head = maker.ends(table, source.get("lm_head.weight", table_shape) if has_head else None)
    blocks = [_block(spec, source, maker, layer) for layer in range(spec.layers)]
    memory_trim()
    return Decoder(
        spec=spec,
        device=maker.device,
        dtype=maker.dtype,
        embed=embed,
        blocks=tuple(blocks),
        norm=maker.norm(source.get("model.norm.weight", (spec.hidden,)), spec.norm_eps),
        head=head,
        rope=Rope(spec.rope, maker.device),
        ops=maker.ops(),
    )


def _block(spec: ModelSpec, source: TensorSource, maker: Maker, layer: int) -> Block:
    name = f"model.layers.{layer}"

    def norm(which: str) -> RmsNorm:
        weight = source.get(f"{name}.{which}_layernorm.weight", (spec.hidden,))
        return maker.norm(weight, spec.norm_eps)

    attention: Attention
    if spec.mla is not None:
        attention = _latent(spec, spec.mla, source, maker, layer)
    else:
        attention = _grouped(spec, source, maker, layer)
    mlp: Callable[[Tensor], Tensor]
    if spec.moe is not None and spec.is_moe[layer]:
        mlp = _moe(spec, spec.moe, source, maker, name)
    else:
        shape = (spec.mlp_width, spec.hidden)
        mlp = _mlp(source, maker, f"{name}.mlp", shape, bias=spec.mlp_bias)
    return Block(
        attention_norm=norm("input"),
        attention=attention,
        mlp_norm=norm("post_attention"),
        mlp=mlp,
    )


def _joined(
    source: TensorSource, maker: Maker, names: list[str], shapes: list[tuple[int, int]], bias: bool
) -> LinearOp:
    """Several layers over the same input as one; its output is theirs side by side."""
    weights = [source.get(f"{n}.weight", shape) for n, shape in zip(names, shapes, strict=True)]
    biases = None
    if bias:
        biases = [
            source.get(f"{n}.bias", shape[:1]) for n, shape in zip(names, shapes, strict=True)
        ]
    weight = weights[0] if len(weights) == 1 else torch.cat(weights)
    return maker.linear(weight, None if biases is None else torch.cat(biases))


def _grouped(spec: ModelSpec, source: TensorSource, maker: Maker, layer: int) -> GroupedAttention:
    name = f"model.layers.{layer}.self_attn"
    wide, narrow = spec.heads * spec.head_dim, spec.kv_heads * spec.head_dim
    norm_sizes = [("q", wide), ("k", narrow)]
    if spec.qk_norm == "head":
        norm_sizes = [("q", spec.head_dim), ("k", spec.head_dim)]
    sinks = source.get(f"{name}.sinks", (spec.heads,)).float() if spec.has_sinks else None
    norms = [
        maker.norm(source.get(f"{name}.{which}_norm.weight", (size,)), spec.norm_eps)
        if spec.qk_norm != "none"
        else None
        for which, size in norm_sizes
    ]
    return GroupedAttention(
        spec=spec,
        layer=layer,
        qkv=_joined(
            source,
            maker,
            [f"{name}.{which}_proj" for which in ("q", "k", "v")],
            [(wide, spec.hidden), *[(narrow, spec.hidden)] * 2],
            spec.qkv_bias,
        ),
        out=_joined(source, maker, [f"{name}.o_proj"], [(spec.hidden, wide)], spec.o_bias),
        scoring=Scoring(
            spec.attention_scale,
            spec.windows[layer],
            None if sinks is None else sinks.to(maker.device).contiguous(),
        ),
        query_norm=norms[0],
        key_norm=norms[1],
    )


def _latent(
    spec: ModelSpec, mla: MlaSpec, source: TensorSource, maker: Maker, layer: int
) -> LatentAttention:
    name = f"model.layers.{layer}.self_attn"
    wide, bias = spec.heads * (mla.nope_dim + mla.rope_dim), spec.qkv_bias
    up_name, up_width = ("q_proj", spec.hidden) if mla.q_rank is None else ("q_b_proj", mla.q_rank)
    down = norm = None
    if mla.q_rank is not None:
        shape = (mla.q_rank, spec.hidden)
        down = _joined(source, maker, [f"{name}.q_a_proj"], [shape], bias)
        norm = maker.norm(source.get(f"{name}.q_a_layernorm.weight", shape[:1]), LATENT_NORM_EPS)
    up = source.get(f"{name}.{up_name}.weight", (wide, up_width))
    latent = source.get(f"{name}.kv_a_proj_with_mqa.weight", (spec.cache_width, spec.hidden))
    latent_bias = (
        source.get(f"{name}.kv_a_proj_with_mqa.bias", (spec.cache_width,)) if bias else None
    )
    if spec.rope.interleaved:
        up = _unpaired(up, spec.heads, mla.rope_dim)
        latent = _unpaired(latent, 1, mla.rope_dim)
        latent_bias = None if latent_bias is None else _unpaired(latent_bias, 1, mla.rope_dim)
    expand = source.get(
        f"{name}.kv_b_proj.weight", (spec.heads * (mla.nope_dim + mla.v_dim), mla.kv_rank)
    )
    return LatentAttention(
        mla=mla,
        heads=spec.heads,
        layer=layer,
        query_down=down,
        query_norm=norm,
        query_up=maker.linear(up, None),
        latent_down=maker.linear(latent, latent_bias),
        latent_norm=maker.norm(
            source.get(f"{name}.kv_a_layernorm.weight", (mla.kv_rank,)), LATENT_NORM_EPS
        ),
        expand=expand.to(maker.device, maker.dtype).contiguous(),
        out=_joined(
            source, maker, [f"{name}.o_proj"], [(spec.hidden, spec.heads * mla.v_dim)], spec.o_bias
        ),
        scoring=Scoring(spec.attention_scale, spec.windows[layer]),
    )


def _unpaired(rows: Tensor, heads: int, rope_dim: int) -> Tensor:
    """Reorder the last rope_dim rows of every head from side-by-side pairs to halves."""
    by_head = rows.view(heads, -1, *rows.shape[1:])
    kept = by_head.shape[1] - rope_dim
    order = torch.cat((torch.arange(kept), kept + halves_order(rope_dim)))
    return by_head[:, order].flatten(0, 1)


def _mlp(
    source: TensorSource, maker: Maker, name: str, shape: tuple[int, int], *, bias: bool
) -> Mlp:
    gate_up = _joined(source, maker, [f"{name}.gate_proj", f"{name}.up_proj"], [shape] * 2, bias)
    return Mlp(gate_up, _joined(source, maker, [f"{name}.down_proj"], [shape[::-1]], bias))


def _moe(spec: ModelSpec, moe: MoeSpec, source: TensorSource, maker: Maker, name: str) -> MoeBlock:
    name = f"{name}.mlp" if _has_router(source, f"{name}.mlp") else f"{name}.block_sparse_moe"
    gate = next(
        (part for part in ROUTER_NAMES if source.has(f"{name}.{part}.weight")), ROUTER_NAMES[0]
    )
    bias = f"{name}.{gate}.bias"
    correction = f"{name}.{gate}.e_score_correction_bias"
    router = Router(
        moe,
        source.get(f"{name}.{gate}.weight", (moe.experts, spec.hidden)).to(maker.device),
        source.get(bias, (moe.experts,)).to(maker.device) if source.has(bias) else None,
        source.get(correction, (moe.experts,)).to(maker.device) if moe.has_correction else None,
    )
    experts = experts_read(spec.family, moe, spec.hidden, source, name)
    clamp = None if spec.swiglu_limit is None else (spec.swiglu_limit, spec.swiglu_alpha)
    shared = None
    if moe.shared_width:
        shape = (moe.shared_width, spec.hidden)
        shared = _mlp(source, maker, f"{name}.shared_experts", shape, bias=False)
    return MoeBlock(router, maker.experts(experts, moe, clamp), shared)


def _has_router(source: TensorSource, name: str) -> bool:
    return any(source.has(f"{name}.{part}.weight") for part in ROUTER_NAMES)
