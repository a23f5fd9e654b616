"""Int8 weights on a CPU: per output channel, activations quantised per row as they come.

Three ways to the same layer, best first: the C kernels, torch's fbgemm operators, float32.
Each is tried on a small matrix against float before it is trusted.
"""

import logging
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

from inference.kernels.cpu_native import native_load
from inference.kernels.cpu_packed import NativeBackend, channel_scales
from inference.model.layers import Clamp, Linear, LinearOp, gated
from inference.model.moe import Experts, ExpertWeights, rows_by_expert, weighted_sum

# A wrong kernel is off by far more; fbgemm's 7-bit activations come to 0.035.
SELF_TEST_ERROR = 0.05

log = logging.getLogger("inference.kernels")


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
        scales = channel_scales(weight)
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
