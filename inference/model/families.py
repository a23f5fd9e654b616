"""The families served, each read from its Hugging Face config.

Scoped to what is proven against transformers; anything else is refused by name.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from inference.model.spec import MlaSpec, ModelSpec, MoeSpec, RopeSpec, UnsupportedModel


def spec_from_config(config: Mapping[str, Any]) -> ModelSpec:
    """The description of a config.json's content; raises UnsupportedModel with advice."""
    family = str(config.get("model_type", ""))
    names = config.get("architectures") or [family or "a config without model_type"]
    reader = FAMILIES.get(family)
    if reader is None or not str(names[0]).endswith(("ForCausalLM", family)):
        raise UnsupportedModel(f"The architecture {names[0]}")
    if str(config.get("hidden_act", "silu")) not in {"silu", "swish"}:
        raise UnsupportedModel(f"{names[0]} with the activation {config['hidden_act']}")
    try:
        fields = _common(config)
        fields |= reader(config, fields)
    except (KeyError, TypeError) as error:
        raise UnsupportedModel(f"{names[0]} with an incomplete config ({error!r})") from error
    return ModelSpec(**fields)


def _common(config: Mapping[str, Any]) -> dict[str, Any]:
    layers, heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
    head_dim = int(config.get("head_dim") or config["hidden_size"] // heads)
    eos = config.get("eos_token_id")
    return {
        "family": config["model_type"],
        "vocab": int(config["vocab_size"]),
        "hidden": int(config["hidden_size"]),
        "layers": layers,
        "heads": heads,
        "kv_heads": int(config.get("num_key_value_heads") or heads),
        "head_dim": head_dim,
        "mlp_width": int(config.get("intermediate_size") or 0),
        "norm_eps": float(config.get("rms_norm_eps", 1e-6)),
        "max_positions": int(config.get("max_position_embeddings", 2048)),
        "rope": _rope(config, head_dim),
        "windows": (None,) * layers,
        "is_moe": (False,) * layers,
        "attention_scale": head_dim**-0.5,
        "tie_embeddings": bool(config.get("tie_word_embeddings", False)),
        "eos_ids": tuple(eos) if isinstance(eos, list) else () if eos is None else (int(eos),),
    }


def _rope(config: Mapping[str, Any], dim: int) -> RopeSpec:
    # Transformers 5 writes rope_parameters; older configs keep rope_theta and rope_scaling apart.
    given = dict(config.get("rope_scaling") or {}) | dict(config.get("rope_parameters") or {})
    theta = float(given.get("rope_theta") or config.get("rope_theta") or _default_theta(config))
    kind = str(given.get("rope_type") or given.get("type") or "default")
    if float(given.get("partial_rotary_factor") or config.get("partial_rotary_factor") or 1) != 1:
        raise UnsupportedModel("A model with partly rotated heads")
    if kind == "default":
        return RopeSpec(theta, dim)
    original = int(
        given.get("original_max_position_embeddings") or config.get("max_position_embeddings", 2048)
    )
    factor = float(given.get("factor") or config.get("max_position_embeddings", 2048) / original)
    more: dict[str, Any] = {}
    if kind == "llama3":
        more = {name: float(given[name]) for name in ("low_freq_factor", "high_freq_factor")}
    elif kind == "yarn":
        more = {
            "beta_fast": float(given.get("beta_fast") or 32),
            "beta_slow": float(given.get("beta_slow") or 1),
            "truncate": bool(given.get("truncate", True)),
            "attention_factor": _yarn_attention_factor(given, factor),
        }
    elif kind != "linear":
        raise UnsupportedModel(f"A model with rope type {kind}")
    return RopeSpec(theta, dim, kind=kind, factor=factor, original_positions=original, **more)


def _default_theta(config: Mapping[str, Any]) -> float:
    return {"mixtral": 1e6, "gpt_oss": 150000.0}.get(str(config["model_type"]), 10000.0)


def yarn_mscale(factor: float, mscale: float = 1.0) -> float:
    """How much longer contexts sharpen attention."""
    return 1.0 if factor <= 1 else 0.1 * mscale * math.log(factor) + 1.0


def _yarn_attention_factor(given: Mapping[str, Any], factor: float) -> float:
    if given.get("attention_factor") is not None:
        return float(given["attention_factor"])
    mscale, mscale_all = given.get("mscale"), given.get("mscale_all_dim")
    if mscale and mscale_all:
        return yarn_mscale(factor, mscale) / yarn_mscale(factor, mscale_all)
    return yarn_mscale(factor)


def _llama(config: Mapping[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    bias = bool(config.get("attention_bias", False))
    return {"qkv_bias": bias, "o_bias": bias, "mlp_bias": bool(config.get("mlp_bias", False))}


def _qwen2(config: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    return {"qkv_bias": True, "windows": _windows(config, common["layers"])}


def _qwen3(config: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    bias = bool(config.get("attention_bias", False))
    return {
        "qkv_bias": bias,
        "o_bias": bias,
        "qk_norm": "head",
        "windows": _windows(config, common["layers"]),
    }


def _windows(config: Mapping[str, Any], layers: int) -> tuple[int | None, ...]:
    window = config.get("sliding_window") if config.get("use_sliding_window") else None
    if window is None:
        return (None,) * layers
    first = int(config.get("max_window_layers", 28))
    kinds = config.get("layer_types") or [
        "sliding_attention" if n >= first else "full_attention" for n in range(layers)
    ]
    return tuple(int(window) if kind == "sliding_attention" else None for kind in kinds)


def _qwen3_moe(config: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    layers = common["layers"]
    experts = int(config.get("num_experts") or config.get("num_local_experts") or 128)
    step, dense = (
        int(config.get("decoder_sparse_step", 1)),
        set(config.get("mlp_only_layers") or ()),
    )
    window = config.get("sliding_window") if config.get("use_sliding_window") else None
    return _qwen3(config, common) | {
        "windows": (window,) * layers,
        "is_moe": tuple(n not in dense and (n + 1) % step == 0 for n in range(layers)),
        "moe": MoeSpec(
            experts=experts,
            top_k=int(config["num_experts_per_tok"]),
            width=int(config["moe_intermediate_size"]),
            normalize=bool(config.get("norm_topk_prob", False)),
        ),
    }


def _mixtral(config: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    return {
        "windows": (config.get("sliding_window"),) * common["layers"],
        "is_moe": (True,) * common["layers"],
        "moe": _whole_moe(config, common, normalize=True),
    }


def _olmoe(config: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    return _llama(config, common) | {
        "qk_norm": "all",
        "clip_qkv": config.get("clip_qkv"),
        "is_moe": (True,) * common["layers"],
        "moe": _whole_moe(config, common, normalize=bool(config.get("norm_topk_prob", False))),
    }


def _granitemoe(config: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    return _llama(config, common) | {
        "attention_scale": float(config.get("attention_multiplier", 1.0)),
        "embedding_multiplier": float(config.get("embedding_multiplier", 1.0)),
        "residual_multiplier": float(config.get("residual_multiplier", 1.0)),
        "logits_scale": 1 / float(config.get("logits_scaling", 1.0)),
        "is_moe": (True,) * common["layers"],
        "moe": _whole_moe(config, common, scoring="softmax_of_chosen"),
    }


def _gpt_oss(config: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    layers, bias = common["layers"], bool(config.get("attention_bias", True))
    kinds = config.get("layer_types") or [
        "full_attention" if n % 2 else "sliding_attention" for n in range(layers)
    ]
    window = int(config.get("sliding_window") or 128)
    return {
        "qkv_bias": bias,
        "o_bias": bias,
        "windows": tuple(window if kind == "sliding_attention" else None for kind in kinds),
        "has_sinks": True,
        "swiglu_limit": float(config.get("swiglu_limit", 7.0)),
        "swiglu_alpha": float(config.get("swiglu_alpha", 1.702)),
        "is_moe": (True,) * layers,
        "moe": _whole_moe(config, common, scoring="softmax_of_chosen"),
    }


def _whole_moe(config: Mapping[str, Any], common: dict[str, Any], **more: Any) -> MoeSpec:
    experts = config.get("num_local_experts") or config.get("num_experts") or 8
    return MoeSpec(
        experts=int(experts),
        top_k=int(config.get("num_experts_per_tok") or 2),
        width=common["mlp_width"],
        **more,
    )


def _deepseek(config: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    mla = MlaSpec(
        q_rank=config.get("q_lora_rank"),
        kv_rank=int(config["kv_lora_rank"]),
        nope_dim=int(config["qk_nope_head_dim"]),
        rope_dim=int(config["qk_rope_head_dim"]),
        v_dim=int(config["v_head_dim"]),
    )
    # The config's head_dim is absent in the published files and means the rotated part.
    rope = _rope(config, mla.rope_dim)
    scale = (mla.nope_dim + mla.rope_dim) ** -0.5
    given = dict(config.get("rope_scaling") or {}) | dict(config.get("rope_parameters") or {})
    if rope.kind != "default" and given.get("mscale_all_dim"):
        scale *= yarn_mscale(rope.factor, float(given["mscale_all_dim"])) ** 2
    first_moe = int(config.get("first_k_dense_replace") or 0)
    return {
        "mla": mla,
        "rope": replace(rope, interleaved=bool(config.get("rope_interleave", True))),
        "kv_heads": common["heads"],
        "head_dim": mla.nope_dim + mla.rope_dim,
        "attention_scale": scale,
        "qkv_bias": bool(config.get("attention_bias", False)),
        "o_bias": bool(config.get("attention_bias", False)),
        "is_moe": tuple(n >= first_moe for n in range(common["layers"])),
        "moe": _deepseek_moe(config, is_v3=config["model_type"] == "deepseek_v3"),
    }


def _deepseek_moe(config: Mapping[str, Any], *, is_v3: bool) -> MoeSpec:
    width = int(config["moe_intermediate_size"])
    shared: dict[str, Any] = {
        "experts": int(config.get("n_routed_experts") or config["num_local_experts"]),
        "top_k": int(config["num_experts_per_tok"]),
        "width": width,
        "shared_width": width * int(config.get("n_shared_experts") or 0),
        "scaling": float(config.get("routed_scaling_factor", 1.0)),
    }
    groups: dict[str, Any] = {
        "groups": int(config.get("n_group") or 1),
        "top_groups": int(config.get("topk_group") or 1),
    }
    if is_v3:
        normalize = bool(config.get("norm_topk_prob", True))
        return MoeSpec(
            **shared,
            **groups,
            scoring="sigmoid",
            normalize=normalize,
            group_best=2,
            has_correction=True,
        )
    method = config.get("topk_method", "greedy")
    if method not in {"greedy", "group_limited_greedy"}:
        raise UnsupportedModel(f"The expert selection {method}")
    if config.get("norm_topk_prob"):
        raise UnsupportedModel("DeepSeek-V2 with norm_topk_prob")
    return MoeSpec(**shared, **(groups if method == "group_limited_greedy" else {}))


FAMILIES: dict[str, Callable[[Mapping[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "llama": _llama,
    "qwen2": _qwen2,
    "qwen3": _qwen3,
    "qwen3_moe": _qwen3_moe,
    "mixtral": _mixtral,
    "olmoe": _olmoe,
    "granitemoe": _granitemoe,
    "deepseek_v2": _deepseek,
    "deepseek_v3": _deepseek,
    "gpt_oss": _gpt_oss,
}
