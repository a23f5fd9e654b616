"""The small parts every block is made of."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

# Limit and alpha of gpt-oss's clamped gate.
Clamp = tuple[float, float]
# x [T, in] -> [T, out]; float weights, or int8 ones behind the same call.
LinearOp = Callable[[Tensor], Tensor]


class Linear:
    """A float linear layer."""

    __slots__ = ("bias", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight = weight
        self.bias = bias

    def __call__(self, states: Tensor) -> Tensor:
        return functional.linear(states, self.weight, self.bias)


class RmsNorm:
    """Root mean square norm over the last dimension, computed in float32."""

    __slots__ = ("eps", "weight")

    def __init__(self, weight: Tensor, eps: float) -> None:
        self.weight = weight
        self.eps = eps

    def __call__(self, states: Tensor) -> Tensor:
        wide = states.float()
        scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return (wide * scale).to(states.dtype) * self.weight


class Mlp:
    """The gated network: [T, hidden] -> [T, hidden]; gate and up are one matrix."""

    __slots__ = ("_down", "_gate_up")

    def __init__(self, gate_up: LinearOp, down: LinearOp) -> None:
        self._gate_up = gate_up
        self._down = down

    def __call__(self, states: Tensor) -> Tensor:
        return self._down(gated(self._gate_up(states)))


def gated(gate_up: Tensor, clamp: Clamp | None = None) -> Tensor:
    """[.., 2 * width], gate before up -> [.., width]."""
    gate, up = gate_up.chunk(2, dim=-1)
    if clamp is None:
        return functional.silu(gate) * up
    limit, alpha = clamp
    gate, up = gate.clamp(max=limit), up.clamp(-limit, limit)
    return (up + 1) * gate * torch.sigmoid(gate * alpha)
