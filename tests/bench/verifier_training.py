"""Trains the verifier's decision: `python -m tests.bench.verifier_training [--write]`.

A boosted forest and a linear model on the features of each sentence's alignment with its passage. Whole trades are left
out in turn, so that every figure is of trades the model has not seen; the threshold is chosen on those predictions, at
98 % of the planted sentences kept back. With `--write` the models of all trades go to platform/furrow/assistants/verifier/decision.json.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
MODEL = ROOT / "platform" / "furrow" / "assistants" / "verifier" / "decision.json"
FOLDS, SEEDS = 8, (0, 1, 2)
LINEAR_SHARE, LEAST_KEPT_BACK = 0.5, 0.98
# Plain copies say little about rewordings.
_DEMO, _COPY = 0.5, 0.1
# No sentence that the vetoes or the check for copies settle needs a score.
_NEVER, _ALWAYS = -1e9, 1e9

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    names: list[str]
    x: Floats
    is_true: Mask
    settled: Floats
    weights: Floats
    trades: list[str]
    parts: list[str]
    kinds: list[str]

    @property
    def is_measured(self) -> Mask:
        """Sentences by hand of trades that no rule was written by."""
        return np.array(
            [
                part not in {"demo", "learning"} and kind != "verbatim"
                for part, kind in zip(self.parts, self.kinds, strict=True)
            ]
        )


def table(data: Path) -> Table:
    from tests.bench.verifier_rows import rows  # noqa: PLC0415

    found = rows(data)
    names = sorted(found[0].features)
    copied = np.array([row.is_copied for row in found])
    demo = np.array([row.part == "demo" for row in found])
    return Table(
        names,
        np.array([[row.features[name] for name in names] for row in found]),
        np.array([row.is_true for row in found]),
        np.array([_settled(row.is_copied, row.is_vetoed) for row in found]),
        np.where(demo, _DEMO, 1.0) * np.where(copied, _COPY, 1.0),
        [row.trade for row in found],
        [row.part for row in found],
        [row.kind for row in found],
    )


def _settled(is_copied: bool, is_vetoed: bool) -> float:
    return _ALWAYS if is_copied else _NEVER if is_vetoed else 0.0


@dataclass(frozen=True)
class Fitted:
    forests: list[Any]
    weights: Floats
    intercept: float

    def scores(self, x: Floats) -> Floats:
        forest = sum(f.decision_function(x) for f in self.forests) / len(self.forests)
        return np.asarray(forest + LINEAR_SHARE * (x @ self.weights + self.intercept))


def fit(known: Table, chosen: Mask) -> Fitted:
    from sklearn.ensemble import GradientBoostingClassifier  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    chosen = chosen & (known.settled != _NEVER)
    x, y, w = known.x[chosen], known.is_true[chosen], known.weights[chosen]
    forests = [
        GradientBoostingClassifier(
            n_estimators=300,
            learning_rate=0.04,
            max_depth=4,
            subsample=0.6,
            max_features=0.2,
            min_samples_leaf=8,
            random_state=seed,
        ).fit(x, y, sample_weight=w)
        for seed in SEEDS
    ]
    middle, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread == 0, 1.0, spread)
    linear = LogisticRegression(C=0.01, max_iter=3000)
    linear.fit((x - middle) / spread, y, sample_weight=w)
    weights = linear.coef_[0] / spread
    return Fitted(forests, weights, float(linear.intercept_[0] - middle @ weights))


def left_out_scores(known: Table) -> Floats:
    """For each sentence the score of the models trained without its trade."""
    dice = np.random.default_rng(0)
    trades = sorted(set(known.trades))
    dice.shuffle(trades)
    fold_of = {trade: n % FOLDS for n, trade in enumerate(trades)}
    folds = np.array([fold_of[trade] for trade in known.trades])
    scores = np.zeros(len(folds))
    for fold in range(FOLDS):
        here = folds == fold
        scores[here] = fit(known, ~here).scores(known.x[here])
    return np.where(known.settled != 0, known.settled, scores)


def threshold(known: Table, scores: Floats) -> float:
    return float(np.quantile(scores[known.is_measured & ~known.is_true], LEAST_KEPT_BACK))


def report(known: Table, scores: Floats) -> None:
    measured = known.is_measured
    planted, honest = scores[measured & ~known.is_true], scores[measured & known.is_true]
    say(f"{len(planted)} planted, {len(honest)} supported, of {len(set(known.trades))} trades\n")
    say("| kept back of the planted | lost of the supported |\n|--:|--:|")
    for share in (0.8, 0.85, 0.9, 0.95, 0.98, 0.99):
        bound = np.quantile(planted, share)
        say(f"| {np.mean(planted <= bound):.1%} | {np.mean(honest <= bound):.1%} |")
    for share in (0.05, 0.1):
        bound = np.quantile(honest, share)
        say(f"| {np.mean(planted <= bound):.1%} | {np.mean(honest <= bound):.1%} |")
    bound = threshold(known, scores)
    say(f"\nAt the threshold {bound:.2f}:\n")
    for part in sorted(set(known.parts)):
        here = np.array([p == part for p in known.parts])
        copies = here & np.array([kind == "verbatim" for kind in known.kinds])
        hard, soft = here & ~known.is_true, here & known.is_true & ~copies
        say(
            f"{part}: kept back {np.mean(scores[hard] <= bound):.1%}, lost {np.mean(scores[soft] <= bound):.1%},"
            f" of verbatim ones {np.mean(scores[copies] <= bound):.1%}"
        )


def write(known: Table, bound: float) -> None:
    fitted = fit(known, np.ones(len(known.is_true), bool))
    trees, start = [], 0.0
    for forest in fitted.forests:
        start += _start(forest)
        for stage in forest.estimators_[:, 0]:
            trees.append(_nodes(stage.tree_, forest.learning_rate / len(fitted.forests)))
    model = {
        "names": known.names,
        "start": round(start / len(fitted.forests), 6),
        "trees": trees,
        "weights": [[n, round(float(w), 6)] for n, w in enumerate(fitted.weights) if w],
        "intercept": round(fitted.intercept, 6),
        "linear_share": LINEAR_SHARE,
        "threshold": round(bound, 4),
    }
    MODEL.write_text(json.dumps(model, separators=(",", ":")) + "\n", "utf-8")


def _start(forest: Any) -> float:
    prior = float(forest.init_.class_prior_[1])
    return float(np.log(prior / (1 - prior)))


def _nodes(tree: Any, rate: float) -> list[list[float]]:
    return [
        [round(rate * float(tree.value[n, 0, 0]), 5)]
        if tree.children_left[n] < 0
        else [
            int(tree.feature[n]),
            # Rounded up: a value that went left goes left.
            float(np.ceil(tree.threshold[n] * 1e5) / 1e5),
            int(tree.children_left[n]),
            int(tree.children_right[n]),
        ]
        for n in range(tree.node_count)
    ]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    import django  # noqa: PLC0415

    django.setup()
    from tests.bench.verifier import DATA  # noqa: PLC0415

    known = table(DATA)
    scores = left_out_scores(known)
    report(known, scores)
    if chosen.write:
        write(known, threshold(known, scores))


if __name__ == "__main__":
    main()
