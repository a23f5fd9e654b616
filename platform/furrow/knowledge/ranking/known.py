"""What known questions teach: which passages, sections and works answer questions like this one.

Learnt by comparing, without training: a question is held against the known ones, and what answered those
counts for more. With few known questions everything stays nearly as the words say.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log, sqrt
from typing import NamedTuple
from uuid import UUID

from furrow.knowledge.text.analysis import Term, analyse_query

# Likeness below this is chance: two questions share a character or a common word.
_LEAST_LIKENESS = 0.05
# So many known questions' worth of doubt stand against what the like ones say.
_DOUBT = 0.3
_PRIOR_RANGE = (-1.5, 4.0)
_PRIOR_DOUBT = 20
_UNSEEN = 0.02


class Place(NamedTuple):
    """Where an answer stands: its passage, the section around it, the work it belongs to."""

    chunk_id: UUID | None
    family: str
    section: str


class Known(NamedTuple):
    text: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Lessons:
    """For one question, values from 0: how strongly like questions point to a passage (`chunks`), a section
    or a family; `priors` says how much more often than its size a family answers at all, as a logarithm.
    """

    chunks: Mapping[UUID, float] = field(default_factory=dict)
    sections: Mapping[tuple[str, str], float] = field(default_factory=dict)
    families: Mapping[str, float] = field(default_factory=dict)
    priors: Mapping[str, float] = field(default_factory=dict)
    unseen_prior: float = 0.0


class KnownQuestions:
    """`sizes` are the passages of each family that a known question points to, `total` those of the base."""

    def __init__(self, known: Iterable[Known], sizes: Mapping[str, int], total: int) -> None:
        self._known = [row for row in known if row.places]
        counts: Counter[str] = Counter()
        terms = [dict(analyse_query(row.text)) for row in self._known]
        for row in terms:
            counts.update(row.keys())
        self._rarity = {
            term: log(1 + (len(terms) - count + 0.5) / (count + 0.5))
            for term, count in counts.items()
        }
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, row in enumerate(terms):
            weighted = {term: weight * self._rarity[term] for term, weight in row.items()}
            length = _length(weighted.values())
            for term, weight in weighted.items():
                self._postings[term].append((number, weight / length))
        self._priors, self._unseen = self._fit_priors(sizes, total)

    def __len__(self) -> int:
        return len(self._known)

    def lessons(self, query: Sequence[Term]) -> Lessons:
        chunks: dict[UUID, float] = defaultdict(float)
        sections: dict[tuple[str, str], float] = defaultdict(float)
        families: dict[str, float] = defaultdict(float)
        total = _DOUBT
        for number, likeness in self._likenesses(query).items():
            places = self._known[number].places
            total += likeness
            for place in places:
                share = likeness / len(places)
                families[place.family] += share
                sections[place.family, place.section] += share
                if place.chunk_id is not None:
                    chunks[place.chunk_id] += likeness**2
        return Lessons(
            chunks,
            {key: value / total for key, value in sections.items()},
            {key: value / total for key, value in families.items()},
            self._priors,
            self._unseen,
        )

    def _likenesses(self, query: Sequence[Term]) -> dict[int, float]:
        """Cosine of each known question that shares enough with this one."""
        # A word of no known question makes the question unlike them all.
        rarest = log(1 + (len(self._known) + 0.5) / 0.5)
        weights = {term: weight * self._rarity.get(term, rarest) for term, weight in query}
        length = _length(weights.values())
        likeness: dict[int, float] = defaultdict(float)
        for term, weight in weights.items():
            for number, other in self._postings.get(term, ()):
                likeness[number] += weight * other / length
        return {number: value for number, value in likeness.items() if value > _LEAST_LIKENESS}

    def _fit_priors(self, sizes: Mapping[str, int], total: int) -> tuple[dict[str, float], float]:
        answers = Counter(place.family for row in self._known for place in row.places)
        count = len(self._known)
        trust = count / (count + _PRIOR_DOUBT)

        def prior(answered: int, size: int) -> float:
            expected = max(size, 1) * count / max(total, 1)
            value = log((answered + _UNSEEN * expected) / expected) if expected else 0.0
            return trust * min(max(value, _PRIOR_RANGE[0]), _PRIOR_RANGE[1])

        return {name: prior(n, sizes.get(name, n)) for name, n in answers.items()}, prior(0, 1)


def _length(weights: Iterable[float]) -> float:
    return sqrt(sum(weight * weight for weight in weights)) or 1.0
