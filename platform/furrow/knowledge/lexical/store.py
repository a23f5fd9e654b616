"""Segments of the lexical index in PostgreSQL. Everything here runs inside `tenant_tx`.

Segments are immutable but for their bitmap of dead chunks, so a process keeps their headers; postings and
bitmaps are read in one statement, hence from one snapshot, while segments come and go.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from furrow.core.context import current_tenant_id
from furrow.knowledge.bulk import ROWS_A_STATEMENT, binary_cursor
from furrow.knowledge.lexical import packing, scoring
from furrow.knowledge.lexical.scoring import SegmentView
from furrow.knowledge.lexical.segments import SegmentData, build_segment
from furrow.knowledge.models import LexicalPosting, LexicalSegment
from furrow.knowledge.text.analysis import Term
from furrow.knowledge.text.synonyms import search_terms

# What `LexicalPosting.term` holds; a longer token is no word anyone searches for.
MAX_TERM = LexicalPosting._meta.get_field("term").max_length or 80
# A pasted page is cut to its weightiest terms, so that one query cannot read half the index.
MAX_QUERY_TERMS = 192
_CACHE_BYTES = 96 * 1024 * 1024


@dataclass(frozen=True)
class Header:
    """The part of a segment that never changes."""

    chunk_ids: bytes
    lengths: NDArray[np.uint32]

    @property
    def keys(self) -> NDArray[np.uint64]:
        """The first half of each chunk id; random enough to tell the chunks of one base apart."""
        return np.frombuffer(self.chunk_ids, "<u8")[::2]


@dataclass(frozen=True)
class Scope:
    """Which chunks a search may see: all but `without`, or only those `within` when that is given."""

    within: Sequence[UUID] | None = None
    without: Sequence[UUID] = ()


def chunks_add(knowledge_base_id: UUID, docs: Iterable[tuple[UUID, str, str]]) -> UUID | None:
    """Indexes chunks given as (id, header, text) in a segment of their own."""
    return segment_insert(knowledge_base_id, build_segment(docs))


def segment_insert(
    knowledge_base_id: UUID, segment: SegmentData, dead: bytes = b"", dead_count: int = 0
) -> UUID | None:
    if not segment.chunk_count:
        return None
    segment_id = uuid.uuid4()
    postings_insert(knowledge_base_id, segment_id, segment)
    header_insert(knowledge_base_id, segment_id, segment, dead, dead_count)
    return segment_id


def header_insert(
    knowledge_base_id: UUID,
    segment_id: UUID,
    segment: SegmentData,
    dead: bytes = b"",
    dead_count: int = 0,
) -> None:
    """Makes a segment, whose postings are written already, part of the index."""
    LexicalSegment.objects.create(
        id=segment_id,
        knowledge_base_id=knowledge_base_id,
        chunk_count=segment.chunk_count,
        dead_count=dead_count,
        total_length=segment.total_length,
        chunk_ids=segment.chunk_ids,
        lengths=segment.lengths.astype("<u4").tobytes(),
        dead=dead,
    )


def postings_insert(knowledge_base_id: UUID, segment_id: UUID, segment: SegmentData) -> None:
    terms = sorted(term for term in segment.postings if len(term) <= MAX_TERM)
    keys = [current_tenant_id(), knowledge_base_id, segment_id]
    with binary_cursor() as cursor:
        for start in range(0, len(terms), ROWS_A_STATEMENT):
            part = terms[start : start + ROWS_A_STATEMENT]
            packed = [segment.postings[term] for term in part]
            counts = [packing.document_frequency(postings) for postings in packed]
            cursor.execute(
                "INSERT INTO knowledge_lexicalposting"
                " (tenant_id, knowledge_base_id, segment_id, term, df, postings)"
                " SELECT %b, %b, %b, term, df, postings"
                " FROM unnest(%b::text[], %b::int4[], %b::bytea[]) AS rows(term, df, postings)",
                [*keys, part, counts, packed],
            )


def index_lock(knowledge_base_id: UUID) -> None:
    """Held to the end of the transaction by whoever changes bitmaps or swaps segments, so that a mark
    can not be set on a segment that is just being replaced.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"lexical:{knowledge_base_id}"],
        )


def chunks_remove(knowledge_base_id: UUID, chunk_ids: Sequence[UUID]) -> None:
    """Marks chunks dead wherever they stand; unknown ones are left aside."""
    if not chunk_ids:
        return
    index_lock(knowledge_base_id)
    rows = list(
        LexicalSegment.objects.filter(knowledge_base_id=knowledge_base_id)
        .only("id", "chunk_count", "dead", "dead_count")
        .order_by("id")
    )
    headers = _headers([row.id for row in rows])
    wanted = _keys_of(chunk_ids)
    for row in rows:
        places = np.flatnonzero(np.isin(headers[row.id].keys, wanted))
        if not len(places):
            continue
        row.dead = packing.mark_dead(bytes(row.dead), row.chunk_count, places.tolist())
        row.dead_count = int(np.unpackbits(np.frombuffer(row.dead, np.uint8)).sum())
        row.save(update_fields=["dead", "dead_count"])


def search(
    knowledge_base_ids: Sequence[UUID], query: str, limit: int, scope: Scope
) -> list[scoring.Hit]:
    """The best chunks for a question as it is written, best first."""
    return terms_search(knowledge_base_ids, search_terms(query), limit, scope)


def terms_search(
    knowledge_base_ids: Sequence[UUID], query: Sequence[Term], limit: int, scope: Scope
) -> list[scoring.Hit]:
    """The best chunks by BM25, best first."""
    terms = terms_bounded(query)
    if not terms or not knowledge_base_ids:
        return []
    views, postings = _read(knowledge_base_ids, [term.text for term in terms], scope)
    return scoring.score(terms, views, postings, limit)


def terms_known(knowledge_base_ids: Sequence[UUID], terms: Iterable[str]) -> dict[str, int]:
    """Those of the terms that the bases hold, with the number of chunks."""
    wanted = [term for term in terms if len(term) <= MAX_TERM]
    if not wanted or not knowledge_base_ids:
        return {}
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT term, sum(df)::int8 FROM knowledge_lexicalposting"
            " WHERE tenant_id = %b AND knowledge_base_id = ANY(%b) AND term = ANY(%b::text[])"
            " GROUP BY term",
            [current_tenant_id(), list(knowledge_base_ids), wanted],
        )
        return dict(cursor.fetchall())


def terms_bounded(query: Sequence[Term]) -> list[Term]:
    """Heaviest first when there are too many."""
    terms = [term for term in query if len(term.text) <= MAX_TERM]
    if len(terms) > MAX_QUERY_TERMS:
        terms = sorted(terms, key=lambda term: -term.weight)[:MAX_QUERY_TERMS]
    return terms


_SNAPSHOT = """
SELECT id, NULL, dead FROM knowledge_lexicalsegment
 WHERE tenant_id = %b AND knowledge_base_id = ANY(%b)
UNION ALL
SELECT segment_id, term, postings FROM knowledge_lexicalposting
 WHERE tenant_id = %b AND knowledge_base_id = ANY(%b) AND term = ANY(%b::text[])
"""


def _read(
    knowledge_base_ids: Sequence[UUID], terms: list[str], scope: Scope
) -> tuple[list[SegmentView], Mapping[tuple[Any, str], bytes]]:
    keys = [current_tenant_id(), list(knowledge_base_ids)]
    while True:
        dead: dict[UUID, bytes] = {}
        postings: dict[tuple[Any, str], bytes] = {}
        with binary_cursor() as cursor:
            cursor.execute(_SNAPSHOT, [*keys, *keys, terms])
            for segment_id, term, value in cursor:
                if term is None:
                    dead[segment_id] = value
                else:
                    postings[segment_id, term] = value
        headers = _headers(list(dead))
        # A merge between the two statements took a segment away: look again.
        if len(headers) == len(dead):
            break
    views = [
        SegmentView(
            segment_id,
            header.chunk_ids,
            header.lengths,
            _alive(header, dead[segment_id], scope),
        )
        for segment_id, header in sorted(headers.items())
    ]
    return views, postings


def _alive(header: Header, dead: bytes, scope: Scope) -> NDArray[np.bool_] | None:
    alive = packing.alive_mask(dead, len(header.lengths))
    if scope.within is not None:
        allowed = np.isin(header.keys, _keys_of(scope.within))
        alive = allowed if alive is None else alive & allowed
    if scope.without:
        allowed = ~np.isin(header.keys, _keys_of(scope.without))
        alive = allowed if alive is None else alive & allowed
    return alive


def _keys_of(chunk_ids: Sequence[UUID]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(chunk_id.bytes[:8] for chunk_id in chunk_ids), "<u8")


class _HeaderCache:
    """The latest used headers of this process. The tenant is part of the key, so that knowing another
    tenant's segment id opens nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[UUID, UUID], Header] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[UUID, UUID]) -> Header | None:
        with self._lock:
            header = self._entries.get(key)
            if header is not None:
                self._entries.move_to_end(key)
            return header

    def put(self, key: tuple[UUID, UUID], header: Header) -> None:
        with self._lock:
            if key in self._entries:
                return
            self._entries[key] = header
            self._bytes += _size(header)
            while self._bytes > self._max_bytes and len(self._entries) > 1:
                _, dropped = self._entries.popitem(last=False)
                self._bytes -= _size(dropped)


def _size(header: Header) -> int:
    return len(header.chunk_ids) + header.lengths.nbytes


_cache = _HeaderCache(_CACHE_BYTES)


def _headers(segment_ids: Sequence[UUID]) -> dict[UUID, Header]:
    """Headers by id; an id that no longer exists is missing from the answer."""
    tenant_id = current_tenant_id()
    found = {i: h for i in segment_ids if (h := _cache.get((tenant_id, i))) is not None}
    missing = [segment_id for segment_id in segment_ids if segment_id not in found]
    if missing:
        with binary_cursor() as cursor:
            cursor.execute(
                "SELECT id, chunk_ids, lengths FROM knowledge_lexicalsegment"
                " WHERE tenant_id = %b AND id = ANY(%b)",
                [tenant_id, missing],
            )
            for segment_id, chunk_ids, lengths in cursor:
                header = Header(chunk_ids, np.frombuffer(lengths, "<u4"))
                found[segment_id] = header
                _cache.put((tenant_id, segment_id), header)
    return found
