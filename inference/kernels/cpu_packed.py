"""Weights in the C kernels' tiles, and the layers that compute with them."""

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from inference.kernels.cpu_native import (
    GROUP,
    TILE,
    ExpertsStruct,
    NativeKernels,
    PackedMatrix,
    groups_of,
)
from inference.kernels.host_memory import HUGE_PAGES
from inference.model.layers import Clamp
from inference.model.moe import ExpertWeights

# Weights and activations of +-127 steps; fbgemm's AVX2 sums need one bit less of activation.
STEPS = 127
# What the C kernels add to inputs to make them unsigned.
OFFSET = 128


class NativeBackend:
    """The C kernels."""

    name = "native"

    def __init__(self, kernels: NativeKernels) -> None:
        self._kernels = kernels

    def linear(self, weight: Tensor, bias: Tensor | None) -> "NativeLinear":
        packed = matrix_pack(weight)
        tiles = HUGE_PAGES.empty(tuple(packed.tiles.shape), torch.int8).copy_(packed.tiles)
        return NativeLinear(
            self._kernels,
            replace(packed, tiles=tiles),
            None if bias is None else bias.float().contiguous(),
        )

    def experts(
        self, experts: Iterable[ExpertWeights], count: int, top_k: int, clamp: Clamp | None
    ) -> "NativeExperts":
        return NativeExperts(self._kernels, experts, count, top_k, clamp)


class NativeLinear:
    """[T, k] -> [T, n]; also a table of its rows, for an embedding tied to the head."""

    __slots__ = ("_bias", "_kernels", "matrix")

    def __init__(self, kernels: NativeKernels, matrix: PackedMatrix, bias: Tensor | None) -> None:
        self._kernels = kernels
        self._bias = bias
        self.matrix = matrix

    def __call__(self, states: Tensor) -> Tensor:
        return self._kernels.linear(states, self.matrix, self._bias)

    def rows(self, ids: Tensor) -> Tensor:
        """Rows [T, k] of the matrix in float32."""
        tiles = self.matrix.tiles[ids // TILE, :, ids % TILE].flatten(1)
        return tiles[:, : self.matrix.columns].float() * self.matrix.scales[ids][:, None]


class NativeExperts:
    """A layer's experts, packed one after another."""

    def __init__(
        self,
        kernels: NativeKernels,
        experts: Iterable[ExpertWeights],
        count: int,
        top_k: int,
        clamp: Clamp | None,
    ) -> None:
        self._kernels = kernels
        self._kept: dict[str, Tensor] = {}
        for index, expert in enumerate(experts):
            for name, part in _expert_parts(expert).items():
                if index == 0:
                    shape = (len(part), count, *part.shape[1:])
                    self._kept[name] = HUGE_PAGES.empty(shape, part.dtype)
                self._kept[name][:, index] = part
        hidden = expert.down.shape[0]
        limit, alpha = clamp or (0.0, 1.0)
        self._struct = ExpertsStruct(
            experts=count,
            hidden=hidden,
            inner=_padded(expert.down.shape[1], TILE),
            top_k=top_k,
            limit=limit,
            alpha=alpha,
            **{name: part.data_ptr() for name, part in self._kept.items()},
        )

    def __call__(self, states: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        return self._kernels.experts(self._struct, states, weights, chosen)


def _expert_parts(expert: ExpertWeights) -> dict[str, Tensor]:
    """An expert's packed tensors by their name in the C struct."""
    width = expert.down.shape[1]
    inner = _padded(width, TILE)

    def spread(part: Tensor) -> Tensor:
        # Each tile of gates before the tile of their ups: they are read together, so in order.
        halves = part.float().view(2, width, *part.shape[1:])
        padding = [0, 0] * (halves.dim() - 2) + [0, inner - width]
        tiles = functional.pad(halves, padding).view(2, -1, TILE, *part.shape[1:])
        return tiles.transpose(0, 1).flatten(0, 2)

    gate_up = matrix_pack(spread(expert.gate_up), TILE)
    down = matrix_pack(functional.pad(expert.down.float(), (0, inner - width)))
    parts = {
        "gate_up": gate_up.tiles, "gate_up_scale": gate_up.scales, "gate_up_sum": gate_up.sums,
        "down": down.tiles, "down_scale": down.scales, "down_sum": down.sums,
    }  # fmt: skip
    if expert.gate_up_bias is not None:
        parts["gate_up_bias"] = spread(expert.gate_up_bias)
    if expert.down_bias is not None:
        missing = len(down.scales) - len(expert.down_bias)
        parts["down_bias"] = functional.pad(expert.down_bias.float(), (0, missing))
    # A thread computes some of all experts' outputs: what lies together is one piece of each.
    pieces = {name: len(down.scales) // (2 * TILE) for name in parts if name.startswith("down")}
    return {
        name: part.view(pieces.get(name, 1), -1, *part.shape[1:]) for name, part in parts.items()
    }


def matrix_pack(weight: Tensor, row_multiple: int = 2 * TILE) -> PackedMatrix:
    """Quantise [n, k] per row and lay it out in the C kernels' tiles."""
    rows, columns = weight.shape
    scales = channel_scales(weight)
    steps = (weight.float() / scales[:, None]).round().clamp(-STEPS, STEPS).to(torch.int8)
    more = _padded(rows, row_multiple) - rows
    steps = functional.pad(steps, (0, _padded(columns, 4) - columns, 0, more))
    tiles = steps.view(len(steps) // TILE, TILE, -1, 4).transpose(1, 2).contiguous()
    groups = groups_of(columns)
    by_group = functional.pad(steps, (0, groups * GROUP - steps.shape[1])).view(
        len(steps), -1, GROUP
    )
    sums = by_group.sum(dim=2, dtype=torch.int32) * -OFFSET
    return PackedMatrix(
        tiles=tiles,
        scales=functional.pad(scales, (0, more)),
        sums=sums.view(-1, TILE, groups).transpose(1, 2).contiguous(),
        rows=rows,
        columns=columns,
    )


def channel_scales(weight: Tensor) -> Tensor:
    return weight.abs().amax(dim=1).float().clamp(min=1e-12) / STEPS


def _padded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
