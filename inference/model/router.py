"""Which experts a token goes to, and with what weight."""

import torch
from torch import Tensor
from torch.nn import functional

from inference.model.spec import MoeSpec


class Router:
    """states [T, hidden] -> weights [T, k] float32, experts [T, k] int64."""

    __slots__ = ("_bias", "_correction", "_spec", "_weight")

    def __init__(
        self, spec: MoeSpec, weight: Tensor, bias: Tensor | None, correction: Tensor | None
    ) -> None:
        self._spec = spec
        # Choosing is discontinuous, so it stays in float32 whatever the model computes in.
        self._weight = weight.float()
        self._bias = None if bias is None else bias.float()
        self._correction = None if correction is None else correction.float()

    def __call__(self, states: Tensor) -> tuple[Tensor, Tensor]:
        logits = functional.linear(states.float(), self._weight, self._bias)
        return experts_choose(self._spec, logits, self._correction)


def experts_choose(
    spec: MoeSpec, logits: Tensor, correction: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Weights and experts [T, k] from router logits [T, experts] in float32."""
    if spec.scoring == "softmax_of_chosen":
        best, chosen = logits.topk(spec.top_k, dim=-1)
        return best.softmax(dim=-1) * spec.scaling, chosen
    scores = logits.sigmoid() if spec.scoring == "sigmoid" else logits.softmax(dim=-1)
    # The correction balances load: it decides who is chosen, never how much they weigh.
    ranked = scores if correction is None else scores + correction
    if spec.groups > 1:
        ranked = _mask_weak_groups(spec, ranked)
    chosen = ranked.topk(spec.top_k, dim=-1).indices
    weights = scores.gather(1, chosen)
    if spec.normalize:
        weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-20)
    return weights * spec.scaling, chosen


def _mask_weak_groups(spec: MoeSpec, ranked: Tensor) -> Tensor:
    grouped = ranked.view(-1, spec.groups, spec.experts // spec.groups)
    strength = grouped.topk(spec.group_best, dim=-1).values.sum(dim=-1)
    kept = strength.topk(spec.top_groups, dim=-1).indices
    is_weak = torch.ones_like(strength, dtype=torch.bool).scatter_(1, kept, value=False)
    return grouped.masked_fill(is_weak[..., None], float("-inf")).flatten(1)
