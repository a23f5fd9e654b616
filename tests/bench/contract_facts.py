"""Measures and trains the reading of CUAD's names, days and laws: `python tests/bench/contract_facts.py [--each]`.

On the fixed development split of `contract_cuad.py`. Right is: the same words but for case, spaces and signs; the same
day; the same place. A day that the annotators left blank counts when we leave it empty; where they wrote that the
contract has no last day, or a day with gaps, nothing is compared. Years that a spreadsheet took for 1935 are 2035.
`--each` names what was wrong, `--training` measures the other contracts, whose figures flatter: they were trained on.

`--train FILE` fits the weights that choose a name and the days, on the contracts outside the split alone. It prints how
often a contract was read right by weights that had not seen it (six parts, each by the others): rules and weights are
tuned on those figures and not on the split. Takes a minute or two. scipy trains; reading needs no library.
"""

import argparse
import hashlib
import json
import lzma
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.test_settings")

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402
import scipy.sparse as sp  # noqa: E402
from scipy.optimize import minimize  # noqa: E402

from apps.contracts.reading.headlines import Headlines, headlines_read  # noqa: E402
from apps.contracts.reading.headlines.choice import Candidate, chosen, squeezed  # noqa: E402
from apps.contracts.reading.headlines.days import Days  # noqa: E402
from apps.contracts.reading.headlines.names import name_candidates  # noqa: E402
from apps.contracts.reading.headlines.terms import term_candidates  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "cuad_rest" / "cuad_rest.jsonl.xz"
KINDS = ("Document Name", "Agreement Date", "Effective Date", "Expiration Date", "Governing Law")
FOLDS = 7
RAREST = 3
STRENGTH = {"name": 3.0, "made": 3.0, "effective": 4.0, "ends": 3.0}
Row = dict[str, Any]
Sets = list[list[Candidate[Any]]]
UNKNOWN = "unknown"


def fold(name: str) -> int:
    """0 is the development split of `contract_cuad.py`."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % FOLDS


def right(kind: str, labels: dict[str, Row], found: Headlines) -> bool | None:
    """None where the annotators give no answer that can be compared."""
    if kind == "Document Name":
        return bare(found.name) in names(labels)
    if kind == "Governing Law":
        return same_law(found.law, labels[kind]["answer"])
    answer = day_labelled(labels[kind])
    if answer == UNKNOWN:
        return None
    said = {"Agreement Date": found.made_on, "Effective Date": found.effective_on, "Expiration Date": found.ends_on}  # fmt: skip
    return said[kind] == answer


def names(labels: dict[str, Row]) -> set[str]:
    label = labels["Document Name"]
    return {bare(part) for part in [label["answer"], *spans(label)]} - {""} or {""}


def same_law(place: str, answer: str) -> bool:
    """`England and Wales` is `England; Wales`; a place may be named with its country."""
    ours = [bare(part) for part in re.split(r" and (?=[A-Z])", place)]
    wanted = [bare(part) for part in answer.split(";")]
    if not place or not answer:
        return not place and not answer
    if bare(place) in wanted[0] or wanted[0] in bare(place):
        return len(wanted) == 1 or len(ours) == len(wanted)
    return len(ours) == len(wanted) and all(a in b for a, b in zip(ours, wanted, strict=True))


def day_labelled(label: Row) -> date | str | None:
    """None where there is no answer."""
    answer = str(label["answer"])
    parts = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", answer)
    if not answer:
        return None
    if not parts:
        return UNKNOWN
    month, day, year = (int(part) for part in parts.groups())
    try:
        return date(year + (100 if year < 1950 else 0), month, day)
    except ValueError:
        return UNKNOWN


def spans(label: Row) -> list[str]:
    return [str(span["text"]) for span in label["spans"]]


def bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def train(rows: list[Row], file: Path) -> None:
    """The day of making first: the day of effect looks at it, and the last day counts from either."""
    labels = [row["labels"] for row in rows]
    folds = [fold(row["file"]) for row in rows]
    pages = [squeezed(row["text"]) for row in rows]
    days = [Days(page) for page in pages]
    weights: dict[str, dict[str, float]] = {}

    def fitted(kind: str, sets: Sets, goals: list[Any], is_right: Callable[[Any, Any], bool]) -> list[Any]:  # fmt: skip
        marked = [
            [(one.features, goal != UNKNOWN and is_right(one.value, goal)) for one in candidates]
            for candidates, goal in zip(sets, goals, strict=True)
        ]
        said = out_of_fold(kind, sets, marked, folds)
        judged = [is_right(value, goal) for value, goal in zip(said, goals, strict=True) if goal != UNKNOWN]  # fmt: skip
        reachable = sum(any(ok for _, ok in one) for one in marked)
        weights[kind] = fit(marked, STRENGTH[kind])
        say(
            f"{kind}: unseen {sum(judged)}/{len(judged)} = {np.mean(judged):.3f}; among the candidates {reachable}, {len(weights[kind])} features"
        )
        return said

    def same_day(value: date | None, goal: date | None) -> bool:
        return value == goal

    goals = {kind: [day_labelled(label[kind]) for label in labels] for kind in KINDS[1:4]}
    fitted("name", [name_candidates(page) for page in pages], [names(label) for label in labels],
           lambda value, goal: bare(value or "") in goal)  # fmt: skip
    made = fitted("made", [one.candidates() for one in days], goals["Agreement Date"], same_day)
    effective = fitted(
        "effective", [one.candidates(first) for one, first in zip(days, made, strict=True)], goals["Effective Date"], same_day,
    )  # fmt: skip
    first = [takes or signed for takes, signed in zip(effective, made, strict=True)]
    fitted("ends", [term_candidates(one, day) for one, day in zip(days, first, strict=True)], goals["Expiration Date"], same_day)  # fmt: skip
    file.write_text(json.dumps(weights, separators=(",", ":"), sort_keys=True) + "\n")


def out_of_fold(kind: str, sets: Sets, marked: list[Any], folds: list[int]) -> list[Any]:
    said: list[Any] = [None] * len(sets)
    for held in range(1, FOLDS):
        weights = fit([one for one, at in zip(marked, folds, strict=True) if at != held], STRENGTH[kind])  # fmt: skip
        for number, at in enumerate(folds):
            if at == held:
                said[number] = chosen(weights, sets[number])
    return said


def fit(marked: list[list[tuple[frozenset[str], bool]]], strength: float) -> dict[str, float]:
    """Weights under which right candidates are likely: a softmax over each contract's candidates, held small by a square."""
    marked = [one for one in marked if any(ok for _, ok in one)]
    seen = Counter(name for one in marked for name in frozenset().union(*(have for have, _ in one)))
    index = {name: at for at, name in enumerate(sorted(name for name, times in seen.items() if times >= RAREST))}  # fmt: skip
    places = [[index[name] for name in sorted(have) if name in index] for one in marked for have, _ in one]  # fmt: skip
    pointers = np.cumsum([0, *map(len, places)])
    columns = np.array([at for row in places for at in row], int)
    matrix = sp.csr_matrix((np.ones(len(columns)), columns, pointers), shape=(len(places), len(index)))  # fmt: skip
    is_right = np.array([ok for one in marked for _, ok in one])
    starts = np.cumsum([0, *map(len, marked)])[:-1]
    owner = np.repeat(np.arange(len(marked)), list(map(len, marked)))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores = matrix @ weights
        raised = np.exp(scores - np.maximum.reduceat(scores, starts)[owner])
        total = np.add.reduceat(raised, starts)
        good = np.add.reduceat(raised * is_right, starts) + 1e-300
        slope = raised / total[owner] - raised * is_right / good[owner]
        return (
            float(np.log(total / good).sum() + strength / 2 * weights @ weights),
            matrix.T @ slope + strength * weights,
        )

    found = minimize(loss, np.zeros(len(index)), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x  # fmt: skip
    return {name: round(float(found[at]), 3) for name, at in index.items() if abs(found[at]) >= 0.01}  # fmt: skip


def measure(rows: list[Row], is_each: bool) -> None:
    counts = {kind: [0, 0] for kind in KINDS}
    for row in rows:
        found = headlines_read(row["text"])
        for kind in KINDS:
            verdict = right(kind, row["labels"], found)
            if verdict is not None:
                counts[kind][0] += verdict
                counts[kind][1] += 1
            if verdict is False and is_each:
                label = row["labels"][kind]
                say(f"{kind}: {label['answer']!r} not {found} {spans(label)[:1]}")
    for kind, (good, total) in counts.items():
        say(f"{kind}: {good}/{total} = {good / max(total, 1):.3f}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", type=Path)
    parser.add_argument("--training", action="store_true")
    parser.add_argument("--each", action="store_true")
    options = parser.parse_args()
    with lzma.open(DATA, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    if options.train:
        train([row for row in rows if fold(row["file"])], options.train)
    else:
        measure([row for row in rows if bool(fold(row["file"])) == options.training], options.each)


if __name__ == "__main__":
    main()
