"""Figures that belong together: a row's size and its price, a weight and its fee."""

from collections.abc import Sequence

from furrow.assistants.verifier.evidence import Clause, Evidence
from furrow.assistants.verifier.figures import Figure
from furrow.assistants.verifier.held_figures import equal

_PAIRED = {"number", "time", "date", "weekday", "code"}


def pairs_of(clause: Clause) -> list[tuple[Figure, Figure]]:
    """Each figure with those of another sort in its clause: one by one where there are as many of both."""
    sorts: dict[tuple[str, str], list[Figure]] = {}
    for figure in clause.figures:
        if figure.kind in _PAIRED and not figure.is_one:
            sorts.setdefault((figure.kind, figure.unit), []).append(figure)
    groups = list(sorts.values())
    found = []
    for at, left in enumerate(groups):
        for right in groups[at + 1 :]:
            if len(left) == len(right):
                found += list(zip(left, right, strict=True))
            else:
                found += [(one, other) for one in left for other in right]
    return found


def parted(clauses: Sequence[Clause], evidence: Evidence) -> Figure | None:
    """The second of a pair that the passage never joins, though it joins either with another of the same sort."""
    known = [
        pair for line in evidence.lines for clause in line.clauses for pair in pairs_of(clause)
    ]
    known += [(right, left) for left, right in known]
    for clause in clauses:
        for left, right in pairs_of(clause):
            partners = [other for one, other in known if _same(one, left) and _sort(other, right)]
            owners = [one for one, other in known if _same(other, right) and _sort(one, left)]
            if not partners or not owners:
                continue
            if not any(_same(other, right) for other in partners):
                return right
    return None


def joins(figure: Figure, clause: Clause, known: Clause) -> bool:
    """Whether the passage's clause has this figure beside one that the sentence's clause has beside it."""
    beside = [other for other in clause.figures if other.unit != figure.unit and not other.is_one]
    return any(equal(other, held) for other in beside for held in known.figures)


def _same(one: Figure, other: Figure) -> bool:
    return _sort(one, other) and equal(one, other)


def _sort(one: Figure, other: Figure) -> bool:
    return one.kind == other.kind and one.unit == other.unit
