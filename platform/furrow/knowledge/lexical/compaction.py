"""Merging of index segments: few segments keep a search fast, and dead chunks take room.

The merged postings are written first and belong to nothing yet; one short transaction then swaps the
segments. Whoever dies in between leaves postings without a segment, which the next run clears away.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from furrow.core.context import current_tenant_id, tenant_tx
from furrow.core.extensions import JobRun
from furrow.knowledge.bulk import binary_cursor
from furrow.knowledge.jobs import compaction_enqueue
from furrow.knowledge.lexical import packing, store
from furrow.knowledge.lexical.segments import SegmentData, merge_segments
from furrow.knowledge.models import LexicalPosting, LexicalSegment

MAX_SEGMENTS = 8
DEAD_SHARE = 0.2
# More chunks than this in one merge would need too much memory; such segments stay as they are.
MAX_MERGED_CHUNKS = 500_000


@dataclass(frozen=True)
class SegmentState:
    id: UUID
    chunk_count: int
    dead_count: int

    @property
    def alive_count(self) -> int:
        return self.chunk_count - self.dead_count

    @property
    def is_wasteful(self) -> bool:
        return self.dead_count > DEAD_SHARE * self.chunk_count


def segments_to_merge(segments: Sequence[SegmentState]) -> list[SegmentState]:
    """The wasteful ones, and when there are too many also the small ones up to the first that is larger
    than all smaller together: so a large segment is rewritten only when the index has doubled.
    """
    chosen = [segment for segment in segments if segment.is_wasteful]
    if len(segments) <= MAX_SEGMENTS:
        return chosen
    total = sum(segment.alive_count for segment in chosen)
    rest = sorted(
        (segment for segment in segments if not segment.is_wasteful), key=lambda s: s.alive_count
    )
    for place, segment in enumerate(rest):
        left = len(rest) - place
        if left <= MAX_SEGMENTS // 2 and segment.alive_count > total:
            break
        if total + segment.alive_count > MAX_MERGED_CHUNKS:
            break
        chosen.append(segment)
        total += segment.alive_count
    # One segment without dead chunks would only be copied.
    is_idle = len(chosen) == 1 and not chosen[0].is_wasteful
    return [] if is_idle else chosen


def compaction_enqueue_if_due(knowledge_base_id: UUID) -> None:
    """Inside `tenant_tx`, after segments were added or chunks removed."""
    if segments_to_merge(_states(knowledge_base_id)):
        compaction_enqueue(knowledge_base_id)


class CompactionHandler:
    """Runs "knowledge.compact" on a knowledge base."""

    def run(self, job: JobRun) -> None:
        compact(job)

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        """The index stays right without a merge; the next change of the base asks for one again."""


def compact(job: JobRun) -> None:
    knowledge_base_id = job.subject_id
    _orphans_delete(job)
    with tenant_tx(job.tenant_id):
        chosen = segments_to_merge(_states(knowledge_base_id))
        if not chosen:
            return
        ids = sorted(segment.id for segment in chosen)
        parts, dead = _load(ids)
    merged = merge_segments(parts, dead)
    segment_id = uuid.uuid4()
    for piece in _pieces(merged):
        with tenant_tx(job.tenant_id):
            job.renew()
            store.postings_insert(knowledge_base_id, segment_id, piece)
    with tenant_tx(job.tenant_id):
        # First the lease: a worker that lost it must not swap what another one is merging.
        job.renew()
        store.index_lock(knowledge_base_id)
        _swap(knowledge_base_id, segment_id, merged, dict(zip(ids, dead, strict=True)))
    _orphans_delete(job)


def _states(knowledge_base_id: UUID) -> list[SegmentState]:
    rows = LexicalSegment.objects.filter(knowledge_base_id=knowledge_base_id).order_by("id")
    return [SegmentState(*row) for row in rows.values_list("id", "chunk_count", "dead_count")]


def _load(ids: Sequence[UUID]) -> tuple[list[SegmentData], list[bytes]]:
    """The segments with their postings, and their bitmaps as of now, in the order of `ids`."""
    rows = {row.id: row for row in LexicalSegment.objects.filter(id__in=ids)}
    postings: dict[UUID, dict[str, bytes]] = {segment_id: {} for segment_id in ids}
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT segment_id, term, postings FROM knowledge_lexicalposting"
            " WHERE tenant_id = %b AND segment_id = ANY(%b)",
            [current_tenant_id(), list(ids)],
        )
        for segment_id, term, packed in cursor:
            postings[segment_id][term] = packed
    parts = [
        SegmentData(
            bytes(rows[i].chunk_ids), np.frombuffer(bytes(rows[i].lengths), "<u4"), postings[i]
        )
        for i in ids
    ]
    return parts, [bytes(rows[i].dead) for i in ids]


def _pieces(merged: SegmentData) -> Iterator[SegmentData]:
    """Parts small enough that one transaction stays far from the timeouts."""
    terms = sorted(merged.postings)
    for start in range(0, len(terms), 100_000):
        part = {term: merged.postings[term] for term in terms[start : start + 100_000]}
        yield SegmentData(merged.chunk_ids, merged.lengths, part)


def _swap(
    knowledge_base_id: UUID, segment_id: UUID, merged: SegmentData, before: dict[UUID, bytes]
) -> None:
    rows = {
        row.id: row
        for row in LexicalSegment.objects.filter(id__in=list(before)).only(
            "id", "dead", "chunk_count"
        )
    }
    died: list[int] = []
    base = 0
    for old_id, then in before.items():
        row = rows[old_id]
        kept = _alive(then, row.chunk_count)
        places = np.cumsum(kept) - 1 + base
        died += places[kept & ~_alive(bytes(row.dead), row.chunk_count)].tolist()
        base += int(kept.sum())
    dead = packing.mark_dead(b"", merged.chunk_count, died) if died else b""
    if merged.chunk_count:
        store.header_insert(knowledge_base_id, segment_id, merged, dead, len(died))
    LexicalSegment.objects.filter(id__in=list(before)).delete()


def _alive(dead: bytes, chunk_count: int) -> NDArray[np.bool_]:
    mask = packing.alive_mask(dead, chunk_count)
    return np.ones(chunk_count, np.bool_) if mask is None else mask


_ORPHANS = """
WITH RECURSIVE found AS (
  (SELECT segment_id, knowledge_base_id FROM knowledge_lexicalposting
    WHERE tenant_id = %(tenant)b ORDER BY segment_id LIMIT 1)
  UNION ALL
  SELECT following.* FROM found, LATERAL (
    SELECT segment_id, knowledge_base_id FROM knowledge_lexicalposting
     WHERE tenant_id = %(tenant)b AND segment_id > found.segment_id ORDER BY segment_id LIMIT 1
  ) following)
SELECT segment_id FROM found
 WHERE knowledge_base_id = %(base)b
   AND NOT EXISTS (SELECT 1 FROM knowledge_lexicalsegment s
                    WHERE s.tenant_id = %(tenant)b AND s.id = found.segment_id)
"""


def _orphans_delete(job: JobRun) -> None:
    """Deletes postings without a segment. Only the holder of the base's one compaction job gets here, so
    no merge is under way elsewhere, and a segment being published brings its postings in the same
    transaction. The query hops from segment to segment, it does not read the postings.
    """
    with tenant_tx(job.tenant_id), binary_cursor() as cursor:
        cursor.execute(_ORPHANS, {"tenant": job.tenant_id, "base": job.subject_id})
        orphans = [row[0] for row in cursor]
    for segment_id in orphans:
        with tenant_tx(job.tenant_id):
            job.renew()
            LexicalPosting.objects.filter(tenant_id=job.tenant_id, segment_id=segment_id).delete()
