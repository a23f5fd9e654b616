"""Int8 weights on a CPU: per output channel, activations quantised per row as they come.

Three ways to the same layer, best first: the C kernels, torch's fbgemm operators, float32.
Each is tried on a small matrix against float before it is trusted.
"""

import logging
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from inference.kernels.cpu_native import (
    GROUP,
    HUGE_PAGES,
    TILE,
    ExpertsStruct,
    NativeKernels,
    PackedMatrix,
    PagesStruct,
    groups_of,
    native_load,
)
from inference.model.cache import pages_write
from inference.model.layers import Clamp, Linear, LinearOp, RmsNorm, gated
from inference.model.moe import Experts, rows_by_expert, weighted_sum
from inference.model.paged import DecodeRows, Scoring, decode_reference

# A wrong kernel is off by far more; fbgemm's 7-bit activations come to 0.035.
SELF_TEST_ERROR = 0.05
# Weights and activations of +-127 steps; fbgemm's AVX2 sums need one bit less of activation.
STEPS = 127
# What the C kernels add to inputs to make them unsigned.
OFFSET = 128
# Floats in an AVX2 register.
VECTOR = 8
# What a cache may hold.
KEPT = (torch.float32, torch.float16)

log = logging.getLogger("inference.kernels")


@dataclass(frozen=True, slots=True)
class ExpertWeights:
    """One expert in float: gate_up [2 * width, hidden] with gate first, down [hidden, width]."""

    gate_up: Tensor
    down: Tensor
    gate_up_bias: Tensor | None = None
    down_bias: Tensor | None = None


class Int8Backend(Protocol):
    """Makes layers that compute with int8 weights."""

    name: str

    def linear(self, weight: Tensor, bias: Tensor | None) -> LinearOp: ...

    def experts(
        self, experts: Iterable[ExpertWeights], count: int, top_k: int, clamp: Clamp | None
    ) -> Experts: ...


@lru_cache(maxsize=1)
def int8_backend() -> Int8Backend:
    """The best backend that passes its own test here."""
    native = native_load()
    candidates: list[Int8Backend] = [FbgemmBackend()]
    if native is not None:
        candidates.insert(0, NativeBackend(native))
    for backend in candidates:
        if self_test(backend):
            return backend
        log.warning("the %s int8 kernels failed their test and are not used", backend.name)
    return FloatBackend()


def self_test(backend: Int8Backend) -> bool:
    """Whether a linear layer and a layer of experts come out close to float."""
    generator = torch.Generator().manual_seed(7)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    states = random(5, 64)
    experts = [ExpertWeights(random(96, 64) / 8, random(64, 48) / 7) for _ in range(3)]
    chosen = torch.tensor([[0, 2], [2, 1], [0, 1], [2, 0], [1, 2]])
    weights = torch.full((5, 2), 0.5)
    weight, bias = random(70, 64) / 8, random(70)
    reference = FloatBackend()
    try:
        found = backend.linear(weight, bias)(states)
        mixed = backend.experts(experts, 3, 2, None)(states, weights, chosen)
    except RuntimeError as error:
        log.warning("the %s int8 kernels do not run: %s", backend.name, error)
        return False
    expected = reference.linear(weight, bias)(states)
    expected_mixed = reference.experts(experts, 3, 2, None)(states, weights, chosen)
    return (
        relative_error(found, expected) < SELF_TEST_ERROR
        and relative_error(mixed, expected_mixed) < SELF_TEST_ERROR
    )


def relative_error(found: Tensor, expected: Tensor) -> float:
    """Size of the difference over the size of what was expected."""
    return float((found - expected).norm() / expected.norm())


class FloatBackend:
    """No int8 at all: correct everywhere."""

    name = "float"

    def linear(self, weight: Tensor, bias: Tensor | None) -> LinearOp:
        return Linear(weight, bias)

    def experts(
        self, experts: Iterable[ExpertWeights], count: int, top_k: int, clamp: Clamp | None
    ) -> Experts:
        return LinearExperts(
            [
                (Linear(one.gate_up, one.gate_up_bias), Linear(one.down, one.down_bias))
                for one in experts
            ],
            clamp,
        )


class FbgemmBackend:
    """torch's own int8 operators; their Python face is deprecated, so it is used here only."""

    name = "fbgemm"

    def linear(self, weight: Tensor, bias: Tensor | None) -> LinearOp:
        scales = _channel_scales(weight)
        zeros = torch.zeros(len(weight), dtype=torch.int64)
        with warnings.catch_warnings():
            # Deprecated towards a package that has no AVX2 kernels of its own.
            warnings.simplefilter("ignore")
            quantised = torch.quantize_per_channel(
                weight.float(), scales.double(), zeros, 0, torch.qint8
            )
        packed = torch.ops.quantized.linear_prepack(
            quantised, None if bias is None else bias.float()
        )

        def run(states: Tensor) -> Tensor:
            out: Tensor = torch.ops.quantized.linear_dynamic(states, packed, reduce_range=True)
            return out

        return run

    def experts(
        self, experts: Iterable[ExpertWeights], count: int, top_k: int, clamp: Clamp | None
    ) -> Experts:
        return LinearExperts(
            [
                (self.linear(one.gate_up, one.gate_up_bias), self.linear(one.down, one.down_bias))
                for one in experts
            ],
            clamp,
        )


class LinearExperts:
    """Experts as pairs of linear layers, each called once for all of its rows."""

    def __init__(
        self,
        experts: list[tuple[LinearOp, LinearOp]],
        clamp: Clamp | None,
    ) -> None:
        self._experts = experts
        self._clamp = clamp

    def __call__(self, states: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        order, counts = rows_by_expert(chosen, len(self._experts))
        rows = states[order // chosen.shape[1]]
        outs, first = [], 0
        for (gate_up, down), count in zip(self._experts, counts.tolist(), strict=True):
            if count:
                inner = gated(gate_up(rows[first : first + count]), self._clamp)
                outs.append(down(inner))
                first += count
        return weighted_sum(torch.cat(outs), order, weights)


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
        tiles = functional.pad(halves, padding).unflatten(1, (-1, TILE))
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
    return {name: part.unflatten(0, (pieces.get(name, 1), -1)) for name, part in parts.items()}


def matrix_pack(weight: Tensor, row_multiple: int = 2 * TILE) -> PackedMatrix:
    """Quantise [n, k] per row and lay it out in the C kernels' tiles."""
    rows, columns = weight.shape
    scales = _channel_scales(weight)
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


def _channel_scales(weight: Tensor) -> Tensor:
    return weight.abs().amax(dim=1).float().clamp(min=1e-12) / STEPS


def _padded(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


class NativeNorm(RmsNorm):
    """The same norm in one call; float32 only."""

    __slots__ = ("_kernels",)

    def __init__(self, kernels: NativeKernels, weight: Tensor, eps: float) -> None:
        super().__init__(weight.contiguous(), eps)
        self._kernels = kernels

    def __call__(self, states: Tensor) -> Tensor:
        return self._kernels.rms_norm(states, self.weight, self.eps)


class NativeOps:
    """Rotation, writing and single-token attention over a paged cache in float32 or float16."""

    def __init__(self, kernels: NativeKernels) -> None:
        self._kernels = kernels

    def rotate(self, states: Tensor, turned: int, cos: Tensor, sin: Tensor) -> Tensor:
        """Rotate the first heads of [T, heads, dim], in place where they lie together."""
        states = states.contiguous()
        self._kernels.rotate(states, turned, cos, sin)
        return states

    def write(self, pages: Tensor, slots: Tensor, states: Tensor) -> None:
        """In one call where torch converts, then copies by index: this is done for every layer."""
        _, heads, width = states.shape
        is_packed = states.stride()[1:] == (width, 1) and slots.is_contiguous()
        if is_packed and heads * width % VECTOR == 0 and pages.dtype in KEPT:
            self._kernels.cache_write(pages, slots, states)
        else:
            pages_write(pages, slots, states)

    def decode(
        self, query: Tensor, keys: Tensor, values: Tensor, decode: DecodeRows, scoring: Scoring
    ) -> Tensor:
        if query.shape[2] % VECTOR or values.shape[3] % VECTOR or keys.dtype not in KEPT:
            return decode_reference(query, keys, values, decode, scoring)
        tables, lengths = decode.tables.contiguous(), decode.lengths.contiguous()
        pages = PagesStruct(
            keys=keys.data_ptr(),
            values=values.data_ptr(),
            token_stride=keys.stride(1),
            head_stride=keys.stride(2),
            value_token_stride=values.stride(1),
            value_head_stride=values.stride(2),
            block_size=keys.shape[1],
            table_width=tables.shape[1],
            heads=query.shape[1],
            kv_heads=keys.shape[2],
            width=query.shape[2],
            value_width=values.shape[3],
            tables=tables.data_ptr(),
            lengths=lengths.data_ptr(),
            sinks=None if scoring.sinks is None else scoring.sinks.data_ptr(),
            window=scoring.window or 0,
            scale=scoring.scale,
            is_half=keys.dtype == torch.float16,
        )
        return self._kernels.attention(pages, query, decode.max_length)
