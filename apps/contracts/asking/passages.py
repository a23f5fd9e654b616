"""A contract cut into passages, and those that speak of something, by their words alone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log

from apps.contracts.reading import Contract
from furrow.knowledge.text.analysis import analyse, analyse_query

# Paragraphs of one clause are put together up to here; one that is longer by itself stays whole.
LENGTH = 420
_K, _B = 1.2, 0.75
# The words of a heading count for every passage under it, a little less than its own.
_HEADING = 0.6


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of the contract's text, with the clause it stands in."""

    start: int
    end: int
    text: str
    clause: str


@dataclass(frozen=True, slots=True)
class Scored:
    passage: Passage
    score: float


class Passages:
    """Of one contract and no other."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    @cached_property
    def all(self) -> list[Passage]:
        return [self._passage(start, end) for start, end in self._stretches()]

    def at(self, offset: int) -> Passage | None:
        return next((p for p in self.all if p.start <= offset < p.end), None)

    def rank(self, query: str) -> list[Scored]:
        """Those that share a word with the query, the best first."""
        wanted = analyse_query(query)
        scored = [
            Scored(passage, sum(term.weight * self._weight(term.text, place) for term in wanted))
            for place, passage in enumerate(self.all)
        ]
        found = [one for one in scored if one.score > 0]
        return sorted(found, key=lambda one: (-one.score, one.passage.start))

    def _weight(self, term: str, place: int) -> float:
        counts, length = self._counts[place]
        count = counts.get(term, 0.0)
        if not count:
            return 0.0
        norm = _K * (1 - _B + _B * length / self._usual_length)
        return self._rarity(term) * count * (_K + 1) / (count + norm)

    def _rarity(self, term: str) -> float:
        number, having = len(self.all), self._having[term]
        return log(1 + (number - having + 0.5) / (having + 0.5))

    @cached_property
    def _counts(self) -> list[tuple[dict[str, float], float]]:
        found = []
        for passage in self.all:
            counts = {term.text: term.weight for term in analyse(passage.text)}
            length = sum(counts.values())
            for term in analyse(passage.clause):
                counts[term.text] = counts.get(term.text, 0.0) + _HEADING * term.weight
            found.append((counts, length))
        return found

    @cached_property
    def _having(self) -> Counter[str]:
        return Counter(term for counts, _length in self._counts for term in counts)

    @cached_property
    def _usual_length(self) -> float:
        return sum(length for _counts, length in self._counts) / max(len(self._counts), 1) or 1.0

    def _stretches(self) -> Iterator[tuple[int, int]]:
        source = self._contract.source
        heads = {clause.article.start for clause in self._contract.all_clauses}
        start: int | None = None
        end = 0
        for paragraph in source.paragraphs:
            if not source.words_of(paragraph).strip():
                continue
            is_new = paragraph.start in heads or (
                start is not None and paragraph.end - start > LENGTH
            )
            if start is not None and is_new:
                yield start, end
                start = None
            start = paragraph.start if start is None else start
            end = paragraph.end
        if start is not None:
            yield start, end

    def _passage(self, start: int, end: int) -> Passage:
        article = self._contract.clause_at(start).article
        clause = f"{article.label} {article.title}".strip()[:120]
        return Passage(start, end, self._contract.text[start:end], clause)
