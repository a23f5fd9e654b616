"""Search over knowledge bases: words and vectors, fused by rank.

`search` may be called inside or outside `tenant_tx`; it opens its own short transactions and asks the model
server for the query's vector between them.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import DataError

from furrow.core.context import current_tenant_id, tenant_tx
from furrow.core.errors import Invalid, UpstreamFailed
from furrow.gateway.embeddings import embed_texts
from furrow.knowledge import vectors
from furrow.knowledge.lexical import store
from furrow.knowledge.lexical.store import Scope
from furrow.knowledge.models import KnowledgeBase
from furrow.knowledge.parsing.builder import guess_language
from furrow.knowledge.searching import Filters, chunks_fetch, scope_of

Mode = Literal["hybrid", "lexical", "vector"]

RRF_K = 60
MAX_LIMIT = 100
MAX_QUERY = 2_000
# How much deeper each leg looks than what is asked for, so that fusing has something to choose from.
_DEPTH = 4
_LEAST_DEPTH = 50


@dataclass(frozen=True)
class Hit:
    """A found passage. `score` comes from the ranks: 1.0 is first in every leg that was used. `scores` are
    BM25 and cosine similarity. `start` and `end` are offsets in the version's text, `pages` are the
    (offset, number) of the pages it touches and `page` is where it begins.
    """

    chunk_id: UUID
    document_id: UUID
    version_id: UUID
    knowledge_base_id: UUID
    external_id: str
    title: str
    score: float
    scores: dict[str, float | None]
    ranks: dict[str, int | None]
    text: str
    header: str
    heading_path: list[str]
    page: int | None
    start: int
    end: int
    kind: str
    matched_terms: list[str]
    pages: list[tuple[int, int]]

    def page_at(self, offset: int) -> int | None:
        """The page on which an offset of the version's text lies; a passage may run over several."""
        passed = [number for begins, number in self.pages if begins <= offset]
        return passed[-1] if passed else self.page


@dataclass(frozen=True)
class SearchResult:
    """`notes` are codes that say what was left out: `vectors_unavailable`, `vectors_untrusted:<language>`,
    `vectors_building`.
    """

    hits: list[Hit]
    took_ms: float
    notes: list[str]


@dataclass
class _Search:
    query: str
    limit: int
    mode: Mode
    bases: list[KnowledgeBase] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)
    notes: list[str] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)
    scores: dict[str, dict[UUID, float]] = field(default_factory=lambda: defaultdict(dict))
    terms: dict[UUID, list[str]] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        return max(self.limit * _DEPTH, _LEAST_DEPTH)


def search(
    *,
    knowledge_base_ids: Sequence[UUID],
    query: str,
    limit: int = 8,
    mode: Mode = "hybrid",
    filters: Mapping[str, Any] | None = None,
) -> SearchResult:
    """The best passages of the bases that exist; unknown and deleted ones are left aside. `filters` may hold
    `document_ids` and `metadata` (each named value must be equal). A model server that is away costs a
    note, never an error.
    """
    started = time.perf_counter()
    if mode not in {"hybrid", "lexical", "vector"}:
        raise Invalid("The mode is hybrid, lexical or vector.", field="mode")
    run = _Search(" ".join(query[:MAX_QUERY].split()), min(max(limit, 1), MAX_LIMIT), mode)
    tenant_id = current_tenant_id()
    with tenant_tx(tenant_id):
        checked = Filters.checked(filters)
        run.bases = list(
            KnowledgeBase.objects.filter(id__in=list(knowledge_base_ids), deleted_at=None)
        )
        if not run.query or not run.bases:
            return SearchResult([], _elapsed_ms(started), [])
        base_ids = [base.id for base in run.bases]
        run.scope = scope_of(base_ids, checked)
        if mode != "vector":
            _lexical_leg(run, base_ids)
    if mode != "lexical":
        _vector_leg(run, tenant_id)
    ranked = _fused(run)
    with tenant_tx(tenant_id):
        # A version may have been replaced in between: a few spare ones make up for it.
        chunks = chunks_fetch([chunk_id for chunk_id, _ in ranked[: run.limit + 8]])
    ranks = {leg: _ranks(run, leg) for leg in ("lexical", "vector")}
    hits = [
        _hit(run, chunks[chunk_id], score, ranks)
        for chunk_id, score in ranked
        if chunk_id in chunks
    ]
    return SearchResult(hits[: run.limit], _elapsed_ms(started), run.notes)


def vector_weight(query: str) -> float:
    """How far vectors are trusted for this query: not at all in a language their model never learnt."""
    trusted = settings.EMBEDDINGS_LANGUAGES
    return 1.0 if "*" in trusted or guess_language(query) in {"", *trusted} else 0.0


def _lexical_leg(run: _Search, base_ids: list[UUID]) -> None:
    run.weights["lexical"] = 1.0
    for hit in store.search(base_ids, run.query, run.depth, run.scope):
        run.scores["lexical"][hit.chunk_id] = hit.score
        run.terms[hit.chunk_id] = hit.matched_terms


def _vector_leg(run: _Search, tenant_id: UUID) -> None:
    weight = 1.0 if run.mode == "vector" else vector_weight(run.query)
    if not weight:
        run.notes.append(f"vectors_untrusted:{guess_language(run.query)}")
        return
    found: list[tuple[float, UUID]] = []
    for model in sorted({base.embedding_model for base in run.bases}):
        bases = [base for base in run.bases if base.embedding_model == model]
        if model != settings.EMBEDDINGS_MODEL:
            run.notes.append("vectors_building")
        try:
            query = embed_texts([run.query], model=model, priority="interactive")[0]
            with tenant_tx(tenant_id):
                found += _nearest(run, bases, query)
        except (UpstreamFailed, DataError):
            # A server that is away, or one whose vectors changed their length under the same name.
            run.notes.append("vectors_unavailable")
    found.sort(key=lambda pair: -pair[0])
    if found:
        run.weights["vector"] = weight
        run.scores["vector"] = {chunk_id: likeness for likeness, chunk_id in found[: run.depth]}


def _nearest(
    run: _Search, bases: list[KnowledgeBase], query: list[float]
) -> list[tuple[float, UUID]]:
    return [
        (likeness, chunk_id)
        for base in bases
        for chunk_id, likeness in vectors.nearest(
            base.id,
            base.embedding_model,
            query,
            run.depth,
            within=run.scope.within,
            without=run.scope.without,
        )
    ]


def _ranks(run: _Search, leg: str) -> dict[UUID, int]:
    """Each leg's scores were filled in best first."""
    return {chunk_id: rank for rank, chunk_id in enumerate(run.scores[leg], start=1)}


def _fused(run: _Search) -> list[tuple[UUID, float]]:
    """Reciprocal rank fusion, as a share of the best there can be; equal scores are ordered by id."""
    best = sum(run.weights.values()) / (RRF_K + 1)
    fused: dict[UUID, float] = defaultdict(float)
    for leg, weight in run.weights.items():
        for chunk_id, rank in _ranks(run, leg).items():
            fused[chunk_id] += weight / (RRF_K + rank) / best
    return sorted(fused.items(), key=lambda pair: (-pair[1], pair[0]))


def _hit(run: _Search, chunk: Any, score: float, ranks: dict[str, dict[UUID, int]]) -> Hit:
    return Hit(
        chunk_id=chunk.id,
        document_id=chunk.document_id,
        version_id=chunk.version_id,
        knowledge_base_id=chunk.knowledge_base_id,
        external_id=chunk.document.external_id,
        title=chunk.document.title,
        score=round(score, 6),
        scores={leg: run.scores[leg].get(chunk.id) for leg in ranks},
        ranks={leg: places.get(chunk.id) for leg, places in ranks.items()},
        text=chunk.text,
        header=chunk.header,
        heading_path=list(chunk.heading_path),
        page=chunk.page,
        start=chunk.start,
        end=chunk.end,
        kind=chunk.kind,
        matched_terms=run.terms.get(chunk.id, []),
        pages=[(page["start"], page["number"]) for page in chunk.pages_touched],
    )


def _elapsed_ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
