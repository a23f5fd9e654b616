"""Trains and measures the clause classifiers on CUAD: `python tests/bench/contract_cuad.py [--train FILE] [--contracts N]`.

A contract belongs to the development split where sha256 of its file name leaves 0 when divided by 7; the others
are trained on. Without `--train` the shipped file is measured. A sentence is right for a type where it and a marked
clause share half of either; further places with the words of a short clause count neither for nor against in the
average precision, and as right in the first three. `--contracts` takes the first N only, to try the command.
scikit-learn trains; using the file needs numpy alone.
"""

import argparse
import hashlib
import json
import lzma
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

import numpy as np  # noqa: E402
import scipy.sparse as sp  # noqa: E402
from sklearn.metrics import average_precision_score  # noqa: E402
from sklearn.preprocessing import normalize  # noqa: E402
from sklearn.svm import LinearSVC  # noqa: E402

from apps.contracts.clauses import features  # noqa: E402
from apps.contracts.clauses.model import FILE, ClauseModel  # noqa: E402
from furrow.knowledge.sentences import split_sentences  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "cuad_rest" / "cuad_rest.jsonl.xz"
KEPT = 250_000
RAREST = 3


class Marked:
    """One contract: its sentences, which are right for which type, and which are left aside."""

    def __init__(self, row: dict[str, Any], types: list[str]) -> None:
        spans = split_sentences(row["text"])
        self.sentences = [row["text"][start:end] for start, end in spans]
        starts, ends = (np.array(side) for side in zip(*spans, strict=True))
        self.right = np.zeros((len(spans), len(types)), bool)
        self.aside = np.zeros_like(self.right)
        for column, name in enumerate(types):
            for span in row["labels"][name]["spans"]:
                if span["start"] is None:
                    continue
                self.right[:, column] |= _meet(starts, ends, span["start"], span["end"])
                for start, end in span.get("also", []):
                    self.aside[:, column] |= _meet(starts, ends, start, end)
        self.aside &= ~self.right


def is_development(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 7 == 0


def _meet(starts: np.ndarray, ends: np.ndarray, start: int, end: int) -> np.ndarray:
    shared = np.minimum(ends, end) - np.maximum(starts, start)
    return (shared > 0) & (shared >= 0.5 * np.minimum(ends - starts, end - start))


def train(contracts: list[Marked], types: list[str], file: Path) -> None:
    parts = [row for contract in contracts for row in features.rows(contract.sentences)]
    pointers = np.cumsum([0, *(len(part.places) for part in parts)])
    values = np.concatenate([part.groups for part in parts])
    places = np.concatenate([part.places for part in parts])
    matrix = sp.csr_matrix((values, places, pointers), shape=(len(parts), 1 << features.BITS))
    right = np.concatenate([contract.right for contract in contracts])
    aside = np.concatenate([contract.aside for contract in contracts])
    seen = np.bincount(matrix.indices, minlength=matrix.shape[1])
    columns = np.flatnonzero(seen >= RAREST)
    rarity = np.log(matrix.shape[0] / seen[columns]).astype(np.float32)
    matrix = normalize(matrix[:, columns].multiply(rarity[None, :]).tocsr())
    weights, bias = np.zeros((len(types), len(columns)), np.float32), np.full(len(types), -1.0)
    for column in range(len(types)):
        rows = ~aside[:, column]
        if right[rows, column].any():
            fitted = LinearSVC(C=0.3, random_state=0).fit(matrix[rows], right[rows, column])
            weights[column], bias[column] = fitted.coef_[0], fitted.intercept_[0]
    write(file, types, columns, rarity, weights, bias)


def write(
    file: Path, types: list[str], columns: np.ndarray, rarity: np.ndarray, weights: np.ndarray, bias: np.ndarray
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
        weights=rounded.astype(np.int8), steps=steps, bias=bias.astype(np.float32),
    )  # fmt: skip


def measure(model: ClauseModel, contracts: list[Marked]) -> tuple[float, float, float]:
    """Macro average precision of sentences, right in the first three, macro average precision of presence."""
    scores = [model.scores(contract.sentences) for contract in contracts]
    flat = np.concatenate(scores)
    right = np.concatenate([contract.right for contract in contracts])
    aside = np.concatenate([contract.aside for contract in contracts])
    by_sentence, first_three, by_contract = [], [], []
    for column in range(len(model.types)):
        rows = ~aside[:, column]
        if right[rows, column].any():
            by_sentence.append(average_precision_score(right[rows, column], flat[rows, column]))
        has = [bool(contract.right[:, column].any()) for contract in contracts]
        best = [score[:, column].max() for score in scores]
        if any(has) and not all(has):
            by_contract.append(average_precision_score(has, best))
        for contract, score, is_there in zip(contracts, scores, has, strict=True):
            if is_there:
                top = np.argsort(-score[:, column])[:3]
                first_three.append((contract.right | contract.aside)[top, column].any())
    return float(np.mean(by_sentence)), float(np.mean(first_three)), float(np.mean(by_contract))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", type=Path)
    parser.add_argument("--contracts", type=int)
    options = parser.parse_args()
    with lzma.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][: options.contracts]
    types = sorted(rows[0]["labels"])
    development = [Marked(row, types) for row in rows if is_development(row["file"])]
    if options.train:
        others = [Marked(row, types) for row in rows if not is_development(row["file"])]
        train(others, types, options.train)
    model = ClauseModel(options.train or FILE)
    precision, first, presence = measure(model, development)
    sys.stdout.write(
        f"{len(development)} contracts: sentence macro AP {precision:.3f}, right in the first three {first:.3f}, "
        f"presence macro AP {presence:.3f}\n"
    )


if __name__ == "__main__":
    main()
