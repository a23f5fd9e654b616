"""What is known beyond the words: a document that is named, works that others cite, questions answered before.

Each says how much more a passage counts, and leaves its reason behind for the search test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import NamedTuple
from uuid import UUID

from furrow.knowledge.lexical.scoring import Hit
from furrow.knowledge.ranking.known import Lessons
from furrow.knowledge.ranking.naming import documents_named
from furrow.knowledge.text.analysis import Term

# Weights and depths are measured in tests/bench/retrieval_statutes.py and retrieval_clauses.py.
_TITLES_OF = 200
_CITED = 0.15
_NAMED = 1.0
_KNOWN_PASSAGE = 1.0
_KNOWN_SECTION = 1.0
_KNOWN_FAMILY = 0.5
_PRIOR = 0.1


def depth_for(limit: int) -> int:
    """How many passages the words bring for this to choose from."""
    return min(max(400, 10 * limit), 1_000)


class Facts(NamedTuple):
    """What is known of a passage: its document, the work it belongs to, how many other works cite that."""

    document_id: UUID
    title: str
    family: str
    section: str
    cited_by: int


def titles_of(hits: Sequence[Hit], facts: Mapping[UUID, Facts]) -> dict[UUID, str]:
    """Of the documents whose passages fit best: a document that is named is among them by its title."""
    first = (facts[hit.chunk_id] for hit in hits[:_TITLES_OF] if hit.chunk_id in facts)
    return {fact.document_id: fact.title for fact in first}


@dataclass(frozen=True)
class Rescored:
    """`reasons` are codes with how much each raised the score, as a factor: `named`, `cited`, `known`."""

    chunk_id: UUID
    score: float
    matched_terms: list[str]
    reasons: dict[str, float]


def rescore(
    query: Sequence[Term],
    hits: Sequence[Hit],
    facts: Mapping[UUID, Facts],
    lessons: Lessons | None = None,
) -> list[Rescored]:
    """Best first. `hits` are those of the words; passages that only a known question points to are added.
    A passage without facts keeps its score.
    """
    named = documents_named(query, titles_of(hits, facts))
    lessons = lessons or Lessons()
    top = hits[0].score if hits else 1.0
    found = {hit.chunk_id: (hit.score, hit.matched_terms) for hit in hits}
    for chunk_id in lessons.chunks:
        if chunk_id in facts:
            found.setdefault(chunk_id, (0.0, []))
    rows = [
        _rescored(chunk_id, score, terms, facts.get(chunk_id), named, lessons, top)
        for chunk_id, (score, terms) in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.score, row.chunk_id))


def _rescored(
    chunk_id: UUID,
    score: float,
    terms: list[str],
    fact: Facts | None,
    named: Mapping[UUID, float],
    lessons: Lessons,
    top: float,
) -> Rescored:
    if fact is None:
        return Rescored(chunk_id, score, terms, {})
    factors = {
        "cited": 1 + _CITED * log1p(fact.cited_by),
        "named": 1 + _NAMED * named.get(fact.document_id, 0.0),
        "known": 1
        + _KNOWN_SECTION * lessons.sections.get((fact.family, fact.section), 0.0)
        + _KNOWN_FAMILY * lessons.families.get(fact.family, 0.0)
        + _PRIOR * lessons.priors.get(fact.family, lessons.unseen_prior),
    }
    for factor in factors.values():
        score *= factor
    reasons = {name: round(factor, 3) for name, factor in factors.items() if factor > 1.005}
    if answered := lessons.chunks.get(chunk_id, 0.0):
        score += _KNOWN_PASSAGE * top * answered
        reasons["known_passage"] = round(answered, 3)
    return Rescored(chunk_id, score, terms, reasons)
