"""Trains the clause classifiers for `contract_cuad.py --train`: minutes on two cores. scikit-learn trains; using the file needs numpy alone.

First a linear classifier for each type on the words of sentences; then small trees on its scores, which look at the
neighbours, the whole contract and the other types. The trees must see scores like those of an unseen contract: so each
sixth of the training contracts is scored by classifiers of the other five. On such scores the weights between the two,
the scale of the odds and the thresholds are found as well. Nothing here sees the development split.
"""

import hashlib
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from apps.contracts.clauses import features
from apps.contracts.clauses.standing import Standing

KEPT = 400_000
RAREST = 3
COST = 0.6
FOLDS = 7
TREES = 60
LEAVES = 6
_EASY = 6_000
Marked = Any


def fold(name: str) -> int:
    """0 is the development split."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % FOLDS


class Rows:
    """All sentences of the training contracts."""

    def __init__(self, contracts: Sequence[Marked]) -> None:
        parts = [row for contract in contracts for row in features.rows(contract.sentences)]
        pointers = np.cumsum([0, *(len(part.places) for part in parts)])
        self.matrix = sp.csr_matrix(
            (np.concatenate([part.groups for part in parts]), np.concatenate([part.places for part in parts]), pointers),
            shape=(len(parts), 1 << features.BITS),
        )  # fmt: skip
        # The neighbours' words and the sentence's own may fall on one place.
        self.matrix.sum_duplicates()
        self.right = np.concatenate([contract.right for contract in contracts])
        self.aside = np.concatenate([contract.aside for contract in contracts])
        sizes = [len(contract.sentences) for contract in contracts]
        self.contract = np.repeat(np.arange(len(contracts)), sizes)
        self.fold = np.repeat([fold(contract.name) for contract in contracts], sizes)
        self.lengths = np.array([len(one) for contract in contracts for one in contract.sentences])


def train(contracts: Sequence[Marked], types: list[str], file: Path) -> None:
    rows = Rows(contracts)
    unseen = np.zeros(rows.right.shape, np.float32)
    for held in range(1, FOLDS):
        others, these = rows.fold != held, rows.fold == held
        columns, rarity, weights, bias = linear(rows, others)
        unseen[these] = weighed(rows.matrix[these][:, columns], rarity) @ weights.T + bias
        say(f"part {held} of {FOLDS - 1}: {macro(rows, unseen, these):.3f} by words alone")
    tables = standing_tables(rows, unseen)
    joint, forests = stacked(rows, unseen, tables)
    odds, log_odds = scales(rows, unseen, joint)
    for held in range(1, FOLDS):
        say(f"part {held}: {macro(rows, log_odds, rows.fold == held):.3f} with the trees")
    columns, rarity, weights, bias = linear(rows, np.ones(len(rows.fold), bool))
    write(file, types, columns, rarity, weights, bias, {**odds, **packed(forests)})


def linear(rows: Rows, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The features that are not too rare, how rare they are, and for each type weights and bias."""
    matrix = rows.matrix[chosen]
    seen = np.bincount(matrix.indices, minlength=matrix.shape[1])
    columns = np.flatnonzero(seen >= RAREST)
    rarity = np.log(matrix.shape[0] / seen[columns]).astype(np.float32)
    _shared.update(matrix=weighed(matrix[:, columns], rarity), right=rows.right[chosen], aside=rows.aside[chosen])  # fmt: skip
    with multiprocessing.get_context("fork").Pool(2) as pool:
        fitted = pool.map(_fit, range(rows.right.shape[1]), chunksize=1)
    weights = np.stack([one[0] for one in fitted])
    return columns, rarity, weights, np.array([one[1] for one in fitted], np.float32)


_shared: dict[str, Any] = {}


def _fit(column: int) -> tuple[np.ndarray, float]:
    matrix, right = _shared["matrix"], _shared["right"][:, column]
    used = ~_shared["aside"][:, column]
    if right[used].sum() < 2:
        return np.zeros(matrix.shape[1], np.float32), -1.0
    fitted = LinearSVC(C=COST, random_state=0).fit(matrix[used], right[used])
    return fitted.coef_[0].astype(np.float32), float(fitted.intercept_[0])


def weighed(matrix: sp.csr_matrix, rarity: np.ndarray) -> sp.csr_matrix:
    return normalize(matrix.multiply(rarity[None, :]).tocsr())


def standing_tables(rows: Rows, scores: np.ndarray) -> list[Standing]:
    return [
        Standing(scores[rows.contract == number], list(rows.lengths[rows.contract == number]))
        for number in range(rows.contract[-1] + 1)
    ]


def stacked(rows: Rows, unseen: np.ndarray, tables: list[Standing]) -> tuple[np.ndarray, list[Any]]:
    """The trees' sums for contracts they have not seen, and the trees that all contracts gave."""
    _shared.update(rows=rows, unseen=unseen, tables=tables)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        grown_each = pool.map(_grow, range(unseen.shape[1]), chunksize=1)
    return np.stack([joint for joint, _ in grown_each], 1), [forest for _, forest in grown_each]


def _grow(column: int) -> tuple[np.ndarray, Any]:
    rows, unseen = _shared["rows"], _shared["unseen"]
    looked = np.vstack([table.of_type(column) for table in _shared["tables"]])
    joint = np.zeros(len(looked), np.float32)
    with threadpool_limits(1):
        for held in range(1, FOLDS):
            forest = grown(rows, unseen, looked, column, rows.fold != held)
            if forest is not None:
                joint[rows.fold == held] = forest.decision_function(looked[rows.fold == held])
        return joint, grown(rows, unseen, looked, column, np.ones(len(looked), bool))


def grown(rows: Rows, unseen: np.ndarray, looked: np.ndarray, column: int, chosen: np.ndarray) -> Any:  # fmt: skip
    """On right sentences, those that look right, and a share of the others."""
    used = chosen & ~rows.aside[:, column]
    right = rows.right[:, column]
    if right[used].sum() < 2:
        return None
    wrong = np.flatnonzero(used & ~right)
    easy = np.random.default_rng(0).choice(wrong, min(len(wrong), _EASY), replace=False)
    hard = wrong[unseen[wrong, column] > -1.0]
    picked = np.unique(np.concatenate([np.flatnonzero(used & right), hard, easy]))
    return HistGradientBoostingClassifier(
        max_iter=TREES, learning_rate=0.08, max_leaf_nodes=LEAVES, min_samples_leaf=15, l2_regularization=5.0,
        max_features=0.4, early_stopping=False, random_state=0,
    ).fit(looked[picked], right[picked])  # fmt: skip


def scales(rows: Rows, unseen: np.ndarray, joint: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:  # fmt: skip
    """Words and trees weigh alike; a logistic curve makes odds of their sum; `yes` is where precision and recall balance."""
    names = ("odds_words", "odds_trees", "odds_offset", "odds_yes")
    odds = {name: np.zeros(unseen.shape[1], np.float32) for name in names}
    log_odds = np.zeros_like(unseen)
    for column in range(unseen.shape[1]):
        used, right = ~rows.aside[:, column], rows.right[:, column]
        if not right[used].any():
            odds["odds_offset"][column] = log_odds[:, column] = -9.0
            continue
        by_words, by_trees = (1 / max(float(one[:, column].std()), 1e-6) for one in (unseen, joint))
        if not joint[:, column].any():
            by_trees = 0.0
        summed = by_words * unseen[:, column] + by_trees * joint[:, column]
        curve = LogisticRegression(C=1e3).fit(summed[used, None], right[used])
        slope, offset = max(float(curve.coef_[0, 0]), 1e-3), float(curve.intercept_[0])
        log_odds[:, column] = slope * summed + offset
        for name, value in zip(names, (slope * by_words, slope * by_trees, offset, balance(log_odds[used, column], right[used])), strict=True):  # fmt: skip
            odds[name][column] = value
    return odds, log_odds


def balance(scores: np.ndarray, right: np.ndarray) -> float:
    """The score from which on the mean of precision and recall (F1) is best."""
    order = np.argsort(-scores)
    hits = np.cumsum(right[order])
    best = int(np.argmax(2 * hits / (np.arange(1, len(hits) + 1) + right.sum())))
    return float(scores[order[best]])


def packed(forests: list[Any]) -> dict[str, np.ndarray]:
    """Nodes of all trees side by side; a leaf points at itself. The first tree also carries the forest's base."""
    shape = (len(forests), TREES, 2 * LEAVES - 1)
    kinds = {"feature": np.uint8, "step": np.float32, "left": np.uint8, "right": np.uint8, "value": np.float32}  # fmt: skip
    packed = {f"tree_{name}": np.zeros(shape, kind) for name, kind in kinds.items()}
    depth = 0
    for column, forest in enumerate(forests):
        if forest is None:
            continue
        for number, (tree,) in enumerate(forest._predictors):
            nodes = tree.nodes
            depth = max(depth, int(nodes["depth"].max()))
            here = np.arange(len(nodes))
            is_leaf = nodes["is_leaf"].astype(bool)
            base = float(forest._baseline_prediction[0, 0]) if number == 0 else 0.0
            filled = {
                "feature": np.where(is_leaf, 0, nodes["feature_idx"]), "step": np.where(is_leaf, 0, nodes["num_threshold"]),
                "left": np.where(is_leaf, here, nodes["left"]), "right": np.where(is_leaf, here, nodes["right"]),
                "value": nodes["value"] + base,
            }  # fmt: skip
            for name, values in filled.items():
                packed[f"tree_{name}"][column, number, : len(nodes)] = values
    return {**packed, "tree_depth": np.array(depth)}


def write(
    file: Path, types: list[str], columns: np.ndarray, rarity: np.ndarray, weights: np.ndarray, bias: np.ndarray,
    more: dict[str, np.ndarray],
) -> None:  # fmt: skip
    """The features that weigh most, in steps of a 127th of each type's largest weight."""
    largest = np.maximum(np.abs(weights).max(1, keepdims=True), 1e-9)
    matter = (np.abs(weights) / largest).max(0)
    kept = matter >= np.partition(matter, -min(KEPT, len(matter)))[-min(KEPT, len(matter))]
    chosen = weights[:, kept].T
    steps = (np.maximum(np.abs(chosen).max(0), 1e-9) / 127).astype(np.float32)
    rounded = np.round(chosen / steps)
    rounded[np.abs(rounded) < 2] = 0
    np.savez_compressed(
        file, types=np.array(types), places=columns[kept].astype(np.int32), rarity=rarity[kept].astype(np.float16),
        weights=rounded.astype(np.int8), steps=steps, bias=bias.astype(np.float32), **more,
    )  # fmt: skip


def macro(rows: Rows, scores: np.ndarray, chosen: np.ndarray) -> float:
    """Macro average precision of the sentences of some contracts."""
    found = []
    for column in range(scores.shape[1]):
        used = chosen & ~rows.aside[:, column]
        if rows.right[used, column].any():
            found.append(average_precision_score(rows.right[used, column], scores[used, column]))
    return float(np.mean(found))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
