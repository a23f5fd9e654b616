"""Routed experts: tokens sorted by expert, two matrix products each, a weighted sum."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from inference.model.layers import Clamp, Mlp, gated
from inference.model.router import Router


class Experts(Protocol):
    """states [T, hidden], weights and chosen [T, k] -> [T, hidden]."""

    def __call__(self, states: Tensor, weights: Tensor, chosen: Tensor) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class ExpertWeights:
    """One expert in float: gate_up [2 * width, hidden] with gate first, down [hidden, width]."""

    gate_up: Tensor
    down: Tensor
    gate_up_bias: Tensor | None = None
    down_bias: Tensor | None = None


class MoeBlock:
    """Router, routed experts and, where the model has them, shared experts."""

    __slots__ = ("_experts", "_router", "_shared")

    def __init__(self, router: Router, experts: Experts, shared: Mlp | None) -> None:
        self._router = router
        self._experts = experts
        self._shared = shared

    def __call__(self, states: Tensor) -> Tensor:
        weights, chosen = self._router(states)
        routed = self._experts(states, weights, chosen)
        return routed if self._shared is None else routed + self._shared(states)


class FloatExperts:
    """The reference: gate_up [E, 2 * width, hidden] and down [E, hidden, width] in float."""

    def __init__(
        self,
        gate_up: Tensor,
        down: Tensor,
        gate_up_bias: Tensor | None = None,
        down_bias: Tensor | None = None,
        clamp: Clamp | None = None,
    ) -> None:
        self.gate_up = gate_up
        self.down = down
        self.gate_up_bias = gate_up_bias
        self.down_bias = down_bias
        self.clamp = clamp

    def __call__(self, states: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        order, counts = rows_by_expert(chosen, self.gate_up.shape[0])
        rows = states[order // chosen.shape[1]]
        outs, first = [], 0
        for expert, count in enumerate(counts.tolist()):
            if count:
                outs.append(self._one(expert, rows[first : first + count]))
                first += count
        return weighted_sum(torch.cat(outs), order, weights)

    def _one(self, expert: int, rows: Tensor) -> Tensor:
        bias = None if self.gate_up_bias is None else self.gate_up_bias[expert]
        inner = functional.linear(rows, self.gate_up[expert], bias)
        bias = None if self.down_bias is None else self.down_bias[expert]
        return functional.linear(gated(inner, self.clamp), self.down[expert], bias)


def rows_by_expert(chosen: Tensor, experts: int) -> tuple[Tensor, Tensor]:
    """Pairs (token, choice) in expert order [T * k] and how many each expert has [experts]."""
    flat = chosen.flatten()
    return flat.argsort(stable=True), torch.bincount(flat, minlength=experts)


def weighted_sum(rows: Tensor, order: Tensor, weights: Tensor) -> Tensor:
    """Undo `rows_by_expert` for results [T * k, hidden] and add up each token's choices.

    Written back by index and summed by shape: an index_add would add in a varying order.
    """
    tokens, choices = weights.shape
    back = torch.empty_like(rows)
    back[order] = rows
    picked = back.view(tokens, choices, -1) * weights[..., None].to(rows.dtype)
    return picked.sum(dim=1)
