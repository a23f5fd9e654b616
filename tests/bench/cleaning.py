"""Scores cleaning on 500 planted defects of ten kinds: `python tests/bench/cleaning.py [--seed N] [--list]`.

Development used seed 1; the figure is for another one. A planted defect is found when a finding of its kind lies on
at least half of it. A finding that lies on no planted defect of its kind is wrong; both documents of a contradiction
may be named. Precision is the share of findings that are right.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

from furrow.knowledge.cleaning.contradictions import contradictions, facts_of  # noqa: E402
from furrow.knowledge.cleaning.document import clean_document  # noqa: E402
from furrow.knowledge.cleaning.flag import Flag  # noqa: E402
from tests.bench.cleaning_corpus import A_KIND, KINDS, TODAY, Corpus, corpus_make  # noqa: E402


class Scores(NamedTuple):
    found: Counter[str]
    wrong: Counter[str]
    right: Counter[str]
    missed: list[str]
    false: list[str]

    @property
    def recall(self) -> float:
        return sum(self.found.values()) / (A_KIND * len(KINDS))

    @property
    def precision(self) -> float:
        right, wrong = sum(self.right.values()), sum(self.wrong.values())
        return right / max(right + wrong, 1)


def findings_of(corpus: Corpus) -> list[list[Flag]]:
    """As an upload of each document after all the others would find them."""
    facts = [facts_of(document) for document in corpus.documents]
    found = []
    for number, document in enumerate(corpus.documents):
        others = {
            title: rows
            for place, (title, rows) in enumerate(zip(corpus.titles, facts, strict=True))
            if place != number
        }
        found.append([*clean_document(document, TODAY), *contradictions(facts[number], others)])
    return found


def score(corpus: Corpus) -> Scores:
    result = Scores(Counter(), Counter(), Counter(), [], [])
    found = findings_of(corpus)
    used: set[tuple[int, int]] = set()
    for plant in corpus.plants:
        hits = [
            place
            for place, flag in enumerate(found[plant.document])
            if flag.code == plant.kind
            and 2 * (min(flag.end, plant.end) - max(flag.start, plant.start))
            >= plant.end - plant.start
        ]
        used |= {(plant.document, place) for place in hits}
        if hits:
            result.found[plant.kind] += 1
        else:
            result.missed.append(f"{plant.kind}: {plant.text[:110]}")
    details = [plant for plant in corpus.plants if plant.kind == "contradiction"]
    for number, flags in enumerate(found):
        for place, flag in enumerate(flags):
            text = corpus.documents[number].text[flag.start : flag.end]
            is_other_side = flag.code == "contradiction" and any(
                subject_of(text) == subject_of(plant.text) for plant in details
            )
            if (number, place) in used or is_other_side:
                result.right[flag.code] += 1
            else:
                result.wrong[flag.code] += 1
                result.false.append(f"{flag.code} ({flag.detail}): {text[:110]}")
    return result


def subject_of(text: str) -> str:
    """The thing that a planted contradiction speaks of: both sides begin with the same words."""
    if ": " in text:
        return text.split(" | ")[0]
    return text.split("的")[0] if "的" in text else text.split(" is ")[0]


def main(arguments: list[str]) -> None:
    seed = int(arguments[arguments.index("--seed") + 1]) if "--seed" in arguments else 2026
    result = score(corpus_make(seed))
    say(
        f"seed {seed}\n\n| kind | planted | found | findings right | wrong |\n|---|--:|--:|--:|--:|"
    )
    for kind in [*KINDS, *sorted(set(result.wrong) - set(KINDS))]:
        planted = A_KIND if kind in KINDS else 0
        say(
            f"| {kind} | {planted} | {result.found[kind]} | {result.right[kind]} | {result.wrong[kind]} |"
        )
    say(f"\nfound {result.recall:.3f}, precision {result.precision:.3f}")
    if "--list" in arguments:
        say("\nmissed\n" + "\n".join(result.missed) + "\n\nwrong\n" + "\n".join(result.false))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
