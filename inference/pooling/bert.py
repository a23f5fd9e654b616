"""The BERT family in plain torch: bert, roberta and xlm-roberta encoders.

Loading these through transformers' model classes costs about 130 MB and two seconds more,
and they are what most embedding models are. Everything else takes that way.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from inference.pooling.folder import UnsupportedModel

MODEL_TYPES = {"bert", "roberta", "xlm-roberta"}
PREFIXES = ("bert.", "roberta.", "model.")


def is_supported(config: dict[str, Any]) -> bool:
    """Whether this module computes exactly what the config asks for."""
    return (
        config.get("model_type") in MODEL_TYPES
        and config.get("hidden_act", "gelu") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder", False)
    )


@dataclass(frozen=True, slots=True)
class Affine:
    """Weight and bias of a linear layer or of a layer norm."""

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, slots=True)
class Layer:
    query: Affine
    key: Affine
    value: Affine
    attention_out: Affine
    attention_norm: Affine
    inner: Affine
    out: Affine
    norm: Affine


class BertEncoder:
    """ids [B, L], mask [B, L] or None when nothing is padded -> hidden states [B, L, H]."""

    def __init__(self, weights: dict[str, Tensor], config: dict[str, Any]) -> None:
        self._heads = int(config["num_attention_heads"])
        self._eps = float(config.get("layer_norm_eps", 1e-12))
        is_roberta = config["model_type"] != "bert"
        self._first_position = int(config.get("pad_token_id", 1)) + 1 if is_roberta else 0
        try:
            self._words = weights["embeddings.word_embeddings.weight"]
            # Every input is one segment, so its row is added to the positions once.
            self._positions = (
                weights["embeddings.position_embeddings.weight"]
                + weights["embeddings.token_type_embeddings.weight"][0]
            )
            self._norm = _affine(weights, "embeddings.LayerNorm")
            self._layers = [
                _layer(weights, f"encoder.layer.{n}") for n in range(config["num_hidden_layers"])
            ]
        except KeyError as error:
            raise UnsupportedModel(f"The weights lack the tensor {error}.") from error

    def __call__(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        first = self._first_position
        states = functional.embedding(ids, self._words)
        states = self._normed(states + self._positions[first : first + ids.shape[1]], self._norm)
        attended = None if mask is None else mask[:, None, None, :]
        for layer in self._layers:
            context = self._attention(layer, states, attended)
            states = self._normed(
                states + _linear(context, layer.attention_out), layer.attention_norm
            )
            inner = functional.gelu(_linear(states, layer.inner))
            states = self._normed(states + _linear(inner, layer.out), layer.norm)
        return states

    def _attention(self, layer: Layer, states: Tensor, attended: Tensor | None) -> Tensor:
        rows, length, width = states.shape
        query, key, value = (
            _linear(states, part).view(rows, length, self._heads, -1).transpose(1, 2)
            for part in (layer.query, layer.key, layer.value)
        )
        context = functional.scaled_dot_product_attention(query, key, value, attn_mask=attended)
        return context.transpose(1, 2).reshape(rows, length, width)

    def _normed(self, states: Tensor, norm: Affine) -> Tensor:
        return functional.layer_norm(
            states, (states.shape[-1],), norm.weight, norm.bias, eps=self._eps
        )


def bert_load(
    files: tuple[Path, ...], config: dict[str, Any], device: torch.device, dtype: torch.dtype
) -> BertEncoder:
    """Map the weight files; on a CPU in float32 untouched vocabulary rows cost no memory."""
    weights: dict[str, Tensor] = {}
    for file in files:
        for name, tensor in load_file(file).items():
            weights[_bare(name)] = (
                tensor.to(device, dtype) if tensor.is_floating_point() else tensor
            )
    return BertEncoder(weights, config)


def _bare(name: str) -> str:
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name.replace(".gamma", ".weight").replace(".beta", ".bias")


def _linear(states: Tensor, part: Affine) -> Tensor:
    return functional.linear(states, part.weight, part.bias)


def _affine(weights: dict[str, Tensor], name: str) -> Affine:
    return Affine(weights[f"{name}.weight"], weights[f"{name}.bias"])


def _layer(weights: dict[str, Tensor], name: str) -> Layer:
    return Layer(
        query=_affine(weights, f"{name}.attention.self.query"),
        key=_affine(weights, f"{name}.attention.self.key"),
        value=_affine(weights, f"{name}.attention.self.value"),
        attention_out=_affine(weights, f"{name}.attention.output.dense"),
        attention_norm=_affine(weights, f"{name}.attention.output.LayerNorm"),
        inner=_affine(weights, f"{name}.intermediate.dense"),
        out=_affine(weights, f"{name}.output.dense"),
        norm=_affine(weights, f"{name}.output.LayerNorm"),
    )
