"""The trained decision: how probable it is that a passage supports a sentence, from the features of their alignment.

A boosted forest and a linear model, both of `tests/bench/verifier_training.py`; what they were trained on and how they do
on trades they never saw stands in MODEL_CARD.md.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any


def score(features: Mapping[str, float]) -> float:
    """Above zero the sentence may leave."""
    model = _model()
    values = [features[name] for name in model["names"]]
    forest = model["start"] + sum(_leaf(tree, values) for tree in model["trees"])
    linear = model["intercept"] + sum(w * values[at] for at, w in model["weights"])
    return float(forest + model["linear_share"] * linear - model["threshold"])


def _leaf(tree: list[list[float]], values: list[float]) -> float:
    """A node is its feature, the bound up to which it goes left, and its two children; a leaf is its value alone."""
    node = tree[0]
    while len(node) > 1:
        feature, bound, left, right = node
        node = tree[int(left if values[int(feature)] <= bound else right)]
    return node[0]


@cache
def _model() -> dict[str, Any]:
    text = (resources.files("furrow.assistants.verifier") / "decision.json").read_text("utf-8")
    return dict(json.loads(text))
