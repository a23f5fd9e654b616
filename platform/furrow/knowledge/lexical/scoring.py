"""BM25 over packed postings.

Statistics are those of all given segments together, so that how chunks fell into segments does not
change the order of results. Dead chunks still count in them until a merge drops them.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from furrow.knowledge.lexical.packing import document_frequency, held_by, unpack
from furrow.knowledge.text.analysis import Term

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class SegmentView:
    """What scoring needs of a segment; `alive` None lets every chunk through."""

    key: Hashable
    chunk_ids: bytes
    lengths: NDArray[np.uint32]
    alive: NDArray[np.bool_] | None = None

    def chunk_id(self, ordinal: int) -> UUID:
        return UUID(bytes=self.chunk_ids[16 * ordinal : 16 * ordinal + 16])


@dataclass(frozen=True)
class Bm25:
    """`k1` is how long repetition keeps helping, `b` how much long chunks are held back."""

    k1: float = 1.2
    b: float = 0.9


class Hit(NamedTuple):
    chunk_id: UUID
    score: float
    matched_terms: list[str]


DEFAULT = Bm25()


def idf(chunk_count: int, frequency: int) -> float:
    """Never negative, also for terms that most chunks hold."""
    return math.log(1 + (chunk_count - frequency + 0.5) / (frequency + 0.5))


def score(
    query: Sequence[Term],
    segments: Sequence[SegmentView],
    postings: Mapping[tuple[Hashable, str], bytes],
    limit: int,
    bm25: Bm25 = DEFAULT,
) -> list[Hit]:
    """The best chunks, best first; equal scores are ordered by chunk id."""
    chunk_count = sum(len(segment.lengths) for segment in segments)
    if not chunk_count or limit < 1:
        return []
    total = sum(int(segment.lengths.sum(dtype=np.uint64)) for segment in segments)
    mean_length = max(total / chunk_count, 1.0)
    weights = _weights(query, segments, postings, chunk_count)
    found: list[tuple[float, UUID, int, int]] = []
    for number, segment in enumerate(segments):
        scores = _segment_scores(weights, segment, postings, bm25, mean_length)
        for ordinal in _best(scores, limit):
            found.append((-float(scores[ordinal]), segment.chunk_id(ordinal), number, ordinal))
    found.sort()
    del found[limit:]
    matched = _matched_terms(weights, segments, postings, [(n, at) for _, _, n, at in found])
    return [
        Hit(chunk_id, -negative, terms)
        for (negative, chunk_id, _, _), terms in zip(found, matched, strict=True)
    ]


def _weights(
    query: Sequence[Term],
    segments: Sequence[SegmentView],
    postings: Mapping[tuple[Hashable, str], bytes],
    chunk_count: int,
) -> dict[str, float]:
    weights = {}
    for term, weight in query:
        lists = [postings.get((segment.key, term)) for segment in segments]
        frequency = sum(document_frequency(packed) for packed in lists if packed)
        if frequency:
            weights[term] = weight * idf(chunk_count, frequency)
    return weights


def _segment_scores(
    weights: Mapping[str, float],
    segment: SegmentView,
    postings: Mapping[tuple[Hashable, str], bytes],
    bm25: Bm25,
    mean_length: float,
) -> Floats:
    """count * (k1 + 1) / (count + norm), the norm and the case of count 1 computed once a chunk."""
    norm = segment.lengths.astype(np.float32)
    norm *= np.float32(bm25.k1 * bm25.b / mean_length)
    norm += np.float32(bm25.k1 * (1 - bm25.b))
    gain = np.float32(bm25.k1 + 1)
    once = gain / (norm + np.float32(1))
    scores: Floats = np.zeros(len(norm), np.float32)
    for term, weight in weights.items():
        packed = postings.get((segment.key, term))
        if packed is None:
            continue
        ordinals, counts = unpack(packed)
        if counts is None:
            scores[ordinals] += np.float32(weight) * once[ordinals]
            continue
        numerator = counts.astype(np.float32)
        denominator = numerator + (norm if ordinals is None else norm[ordinals])
        numerator *= np.float32(weight) * gain
        numerator /= denominator
        if ordinals is None:
            scores += numerator
        else:
            scores[ordinals] += numerator
    if segment.alive is not None:
        scores[~segment.alive] = 0
    return scores


def _best(scores: Floats, limit: int) -> list[int]:
    if len(scores) > limit:
        top = np.argpartition(scores, -limit)[-limit:]
    else:
        top = np.arange(len(scores))
    return [int(ordinal) for ordinal in top if scores[ordinal] > 0]


def _matched_terms(
    weights: Mapping[str, float],
    segments: Sequence[SegmentView],
    postings: Mapping[tuple[Hashable, str], bytes],
    places: Sequence[tuple[int, int]],
) -> list[list[str]]:
    """For each (segment number, ordinal) the query's terms there, the weightiest first."""
    matched: list[list[str]] = [[] for _ in places]
    ranked = sorted(weights, key=lambda term: -weights[term])
    for number, segment in enumerate(segments):
        rows = [row for row, place in enumerate(places) if place[0] == number]
        if not rows:
            continue
        chosen = np.array([places[row][1] for row in rows])
        for term in ranked:
            if packed := postings.get((segment.key, term)):
                for at in np.flatnonzero(held_by(packed, chosen)).tolist():
                    matched[rows[at]].append(term)
    return matched
