import pytest
import torch

from inference.model.router import experts_choose
from inference.model.spec import MoeSpec

V3 = MoeSpec(
    experts=4,
    top_k=2,
    width=8,
    scoring="sigmoid",
    normalize=True,
    scaling=2.5,
    groups=2,
    top_groups=1,
    group_best=2,
    has_correction=True,
)


def test_a_closed_group_stays_closed_when_the_open_one_scores_below_zero() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0, 0.0]])
    correction = torch.tensor([-1.0, -1.5, -2.0, -0.9])
    weights, chosen = experts_choose(V3, logits, correction)
    assert sorted(chosen[0].tolist()) == [0, 1]
    assert weights.sum().item() == pytest.approx(2.5)


def test_the_correction_chooses_but_does_not_weigh() -> None:
    logits = torch.tensor([[2.0, 0.0, -2.0, -2.0]])
    weights, chosen = experts_choose(V3, logits, torch.tensor([0.0, 5.0, 0.0, 0.0]))
    share = dict(zip(chosen[0].tolist(), weights[0].tolist(), strict=True))
    scores = torch.tensor([2.0, 0.0]).sigmoid()
    assert share[0] == pytest.approx(float(scores[0] / scores.sum() * 2.5))


def test_weights_of_the_chosen_alone_add_up_to_one() -> None:
    spec = MoeSpec(experts=4, top_k=2, width=8, scoring="softmax_of_chosen")
    weights, chosen = experts_choose(spec, torch.tensor([[1.0, 3.0, 2.0, 0.0]]))
    assert chosen.tolist() == [[1, 2]]
    assert weights.sum().item() == pytest.approx(1.0)
