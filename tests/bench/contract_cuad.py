"""Trains and measures the clause classifiers on CUAD: `python tests/bench/contract_cuad.py [--train FILE] [--contracts N]`.

A contract belongs to the development split where sha256 of its file name leaves 0 when divided by 7; the others
are trained on (`contract_training.py`). Without `--train` the shipped file is measured. A sentence is right for a type
where it and a marked clause share half of either; further places with the words of a short clause count neither for
nor against in the average precision, and as right in the first three. Presence is judged by the best sentences
together. The precision at 80 % recall goes by the authors' rule (`contract_spans.py`). `--contracts` takes the first N
only, to try the command; `--blind` trains without looking at the split.
"""

import argparse
import json
import lzma
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

import numpy as np  # noqa: E402
from sklearn.metrics import average_precision_score  # noqa: E402

from apps.contracts.clauses.model import FILE, ClauseModel, presence  # noqa: E402
from furrow.knowledge.sentences import split_sentences  # noqa: E402
from tests.bench.contract_spans import precision_at  # noqa: E402
from tests.bench.contract_training import fold, train  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "cuad_rest" / "cuad_rest.jsonl.xz"


class Marked:
    """One contract: its sentences, which are right for which type, and which are left aside."""

    def __init__(self, row: dict[str, Any], types: list[str]) -> None:
        self.name: str = row["file"]
        self.row = row
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


def _meet(starts: np.ndarray, ends: np.ndarray, start: int, end: int) -> np.ndarray:
    shared = np.minimum(ends, end) - np.maximum(starts, start)
    return (shared > 0) & (shared >= 0.5 * np.minimum(ends - starts, end - start))


def measure(model: ClauseModel, contracts: list[Marked]) -> dict[str, float]:
    log_odds = [model.log_odds(contract.sentences) for contract in contracts]
    flat = np.concatenate(log_odds)
    right = np.concatenate([contract.right for contract in contracts])
    aside = np.concatenate([contract.aside for contract in contracts])
    likely = np.stack([presence(odds) for odds in log_odds])
    by_sentence, first_three, by_contract = [], [], []
    for column in range(len(model.types)):
        rows = ~aside[:, column]
        if right[rows, column].any():
            by_sentence.append(average_precision_score(right[rows, column], flat[rows, column]))
        has = [bool(contract.right[:, column].any()) for contract in contracts]
        if any(has) and not all(has):
            by_contract.append(average_precision_score(has, likely[:, column]))
        for contract, odds, is_there in zip(contracts, log_odds, has, strict=True):
            if is_there:
                top = np.argsort(-odds[:, column])[:3]
                first_three.append((contract.right | contract.aside)[top, column].any())
    return {
        "sentence macro AP": float(np.mean(by_sentence)),
        "right in the first three": float(np.mean(first_three)),
        "presence macro AP": float(np.mean(by_contract)),
        "precision at 80 % recall": precision_at(0.8, contracts, model.types, log_odds),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", type=Path)
    parser.add_argument("--blind", action="store_true")
    parser.add_argument("--contracts", type=int)
    options = parser.parse_args()
    with lzma.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][: options.contracts]
    types = sorted(rows[0]["labels"])
    if options.train:
        others = [Marked(row, types) for row in rows if fold(row["file"])]
        train(others, types, options.train)
    if options.blind:
        return
    development = [Marked(row, types) for row in rows if not fold(row["file"])]
    figures = measure(ClauseModel(options.train or FILE), development)
    figures_said = ", ".join(f"{name} {figure:.3f}" for name, figure in figures.items())
    sys.stdout.write(f"{len(development)} contracts: {figures_said}\n")


if __name__ == "__main__":
    main()
