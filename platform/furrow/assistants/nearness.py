"""How near a question comes to an approved one that does not surely answer it: for offering, never for answering.

Words and pairs of characters count by how few of the assistant's own entries have them, so that what all of them
speak of says little. Contradictions (other figures, a "not") do not exclude: the visitor chooses.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from furrow.assistants.recognition import subject_of

# How much of the question the entry knows at all counts more than how alike they are written.
_ALIKE_SHARE = 0.3
Weight = Callable[[str], float]


class Neighbourhood:
    """The entries of an assistant, each given as its wordings and its answer, prepared for many questions."""

    def __init__(self, entries: Sequence[tuple[tuple[str, ...], str]]) -> None:
        self._entries = [_prepared(wordings, answer) for wordings, answer in entries]
        self._weight = _rarity([known for _, known in self._entries])

    def nearness(self, question: str) -> list[float]:
        """From 0 to 1 for each entry."""
        asked = _units(question)
        total = _mass(asked, self._weight)
        if not total:
            return [0.0] * len(self._entries)
        return [
            _near(asked, total, wordings, known, self._weight) for wordings, known in self._entries
        ]


def _near(
    asked: Counter[str],
    total: float,
    wordings: tuple[Counter[str], ...],
    known: frozenset[str],
    weight: Weight,
) -> float:
    understood = sum(n * weight(unit) for unit, n in asked.items() if unit in known) / total
    alike = max(
        2 * _mass(asked & wording, weight) / (total + _mass(wording, weight))
        for wording in wordings
    )
    return _ALIKE_SHARE * alike + (1 - _ALIKE_SHARE) * understood


def _mass(units: Counter[str], weight: Weight) -> float:
    return sum(n * weight(unit) for unit, n in units.items())


def _rarity(known: Sequence[frozenset[str]]) -> Weight:
    having = Counter(unit for units in known for unit in units)
    return lru_cache(maxsize=None)(lambda unit: math.log1p(len(known) / (1 + having[unit])))


@lru_cache(maxsize=4096)
def _prepared(
    wordings: tuple[str, ...], answer: str
) -> tuple[tuple[Counter[str], ...], frozenset[str]]:
    units = tuple(_units(text) for text in wordings)
    return units, frozenset().union(*units, _units(answer))


def _units(text: str) -> Counter[str]:
    """An English word counts as much as a Chinese character with one of its pairs."""
    subject = subject_of(text)
    units = Counter(dict.fromkeys(subject.words, 2))
    for run in subject.runs:
        units.update(run)
        units.update(run[at : at + 2] for at in range(len(run) - 1))
    return units
