"""Search over knowledge bases: words and vectors, fused by rank.

`search` may be called inside or outside `tenant_tx`; it opens its own short transactions and asks the model
server for the query's vector between them.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import DataError

from furrow.core.context import current_tenant_id, tenant_tx
from furrow.core.errors import Invalid, LimitReached, UpstreamFailed
from furrow.gateway.embeddings import embed_texts
from furrow.knowledge import vectors
from furrow.knowledge.alike import twin_of
from furrow.knowledge.lexical import store
from furrow.knowledge.lexical.store import Scope
from furrow.knowledge.models import Chunk, KnowledgeBase
from furrow.knowledge.parsing.builder import guess_language
from furrow.knowledge.reranking import reranked
from furrow.knowledge.searching import Filters, chunks_fetch, expired_fetch, scope_of
from furrow.knowledge.understanding import Addition, Understood, formal_found, understand
from furrow.knowledge.words import words_find

Mode = Literal["hybrid", "lexical", "vector"]

RRF_K = 60
MAX_LIMIT = 100
MAX_QUERY = 2_000
# How much deeper each leg looks than what is asked for, so that fusing has something to choose from.
_DEPTH = 4
_LEAST_DEPTH = 50
# What the search test shows of the passages that were cut.
MAX_CUT = 20
MAX_EXPIRED = 5


@dataclass(frozen=True)
class Hit:
    """A found passage. `score` comes from the ranks: 1.0 is first in every leg that was used. `scores` are
    BM25, raised by `reasons` (see `ranking.rescoring`), cosine similarity, and what a reranker said.
    `start` and `end` are offsets in the version's text, `pages` are the (offset, number) of the pages it
    touches and `page` is where it begins. `also_in` are titles of documents that say nearly the same words.
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
    reasons: dict[str, float] = field(default_factory=dict)
    also_in: list[str] = field(default_factory=list)

    def page_at(self, offset: int) -> int | None:
        """The page on which an offset of the version's text lies; a passage may run over several."""
        passed = [number for begins, number in self.pages if begins <= offset]
        return passed[-1] if passed else self.page


@dataclass(frozen=True)
class Cut:
    """A passage that fits and is not among the hits: `duplicate`, `beyond_limit`, `expired`, `not_yet_valid`."""

    hit: Hit
    code: str


@dataclass(frozen=True)
class SearchResult:
    """`notes` are codes that say what was left out: `vectors_unavailable`, `vectors_untrusted:<language>`,
    `vectors_building`, `vectors_not_paid`, `rerank_unavailable`, `rerank_not_paid`. `question` is the query as
    it was meant and `additions` say what was put right or looked for besides. `cut`, and formal words among the
    additions, are filled on request.
    """

    hits: list[Hit]
    took_ms: float
    notes: list[str]
    question: str = ""
    additions: list[Addition] = field(default_factory=list)
    cut: list[Cut] = field(default_factory=list)


@dataclass
class _Search:
    query: str
    limit: int
    mode: Mode
    bases: list[KnowledgeBase] = field(default_factory=list)
    scope: Scope = field(default_factory=Scope)
    understood: Understood | None = None
    notes: list[str] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)
    scores: dict[str, dict[UUID, float]] = field(default_factory=lambda: defaultdict(dict))
    terms: dict[UUID, list[str]] = field(default_factory=dict)
    reasons: dict[UUID, dict[str, float]] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        return max(self.limit * _DEPTH, _LEAST_DEPTH)

    @property
    def question(self) -> str:
        return self.understood.as_meant if self.understood else self.query

    @property
    def base_ids(self) -> list[UUID]:
        return [base.id for base in self.bases]


def search(
    *,
    knowledge_base_ids: Sequence[UUID],
    query: str,
    limit: int = 8,
    mode: Mode = "hybrid",
    filters: Mapping[str, Any] | None = None,
    explain: bool = False,
) -> SearchResult:
    """The best passages of the bases that exist; unknown and deleted ones are left aside. `filters` may hold
    `document_ids`, `metadata` (each named value must be equal) and `valid_on` (a day instead of today). A model
    server that is away costs a note, never an error. `explain` also tells what was cut, and why.
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
            return SearchResult([], _elapsed_ms(started), [], run.query)
        run.scope = scope_of(run.base_ids, checked)
        run.understood = understand(run.query, lambda terms: store.terms_known(run.base_ids, terms))
        if mode != "vector":
            _lexical_leg(run)
    if mode != "lexical":
        _vector_leg(run, tenant_id)
    ranked = _fused(run)
    with tenant_tx(tenant_id):
        # A version may have been replaced in between, and some say the same: spare ones make up for it.
        chunks = chunks_fetch(
            [chunk_id for chunk_id, _ in ranked[: 2 * run.limit + 8]], checked.day
        )
        out_of_date = expired_fetch(run.scope.without, checked.day) if explain else {}
    ranks = {leg: _ranks(run, leg) for leg in ("lexical", "vector")}
    hits = [
        _hit(run, chunks[chunk_id], score, ranks)
        for chunk_id, score in ranked
        if chunk_id in chunks
    ]
    hits, notes = reranked(run.question, hits)
    kept, twins = _collapsed(hits)
    cut = _cut(run, kept[run.limit :], twins, out_of_date) if explain else []
    additions = run.understood.additions
    if explain:
        shown = [hit.matched_terms for hit in kept[: run.limit]]
        additions = [*additions, *formal_found(run.query, shown)]
    return SearchResult(
        kept[: run.limit],
        _elapsed_ms(started),
        [*run.notes, *notes],
        run.question,
        additions,
        cut,
    )


def vector_weight(query: str) -> float:
    """How far vectors are trusted for this query: not at all in a language their model never learnt."""
    trusted = settings.EMBEDDINGS_LANGUAGES
    return 1.0 if "*" in trusted or guess_language(query) in {"", *trusted} else 0.0


def _lexical_leg(run: _Search) -> None:
    run.weights["lexical"] = 1.0
    if run.understood is None:
        return
    for row in words_find(run.base_ids, run.understood, run.limit, run.scope)[: run.depth]:
        run.scores["lexical"][row.chunk_id] = row.score
        run.terms[row.chunk_id] = row.matched_terms
        run.reasons[row.chunk_id] = row.reasons


def _vector_leg(run: _Search, tenant_id: UUID) -> None:
    weight = 1.0 if run.mode == "vector" else vector_weight(run.question)
    if not weight:
        run.notes.append(f"vectors_untrusted:{guess_language(run.question)}")
        return
    found: list[tuple[float, UUID]] = []
    for model in sorted({base.embedding_model for base in run.bases}):
        bases = [base for base in run.bases if base.embedding_model == model]
        if model != settings.EMBEDDINGS_MODEL:
            run.notes.append("vectors_building")
        try:
            query = embed_texts([run.question], model=model, priority="interactive")[0]
            with tenant_tx(tenant_id):
                found += _nearest(run, bases, query)
        except (UpstreamFailed, DataError):
            # A server that is away, or one whose vectors changed their length under the same name.
            run.notes.append("vectors_unavailable")
        except LimitReached:
            # No budget or no price: words alone still find most things.
            run.notes.append("vectors_not_paid")
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


def _collapsed(hits: list[Hit]) -> tuple[list[Hit], list[Hit]]:
    """The hits without those that say what a better one says, and those."""
    kept: list[Hit] = []
    twins: list[Hit] = []
    for hit in hits:
        place = twin_of(hit.text, [one.text for one in kept])
        if place is None:
            kept.append(hit)
            continue
        twins.append(hit)
        titles = dict.fromkeys([*kept[place].also_in, hit.title])
        kept[place] = replace(kept[place], also_in=list(titles))
    return kept, twins


def _cut(
    run: _Search, beyond: list[Hit], twins: list[Hit], out_of_date: Mapping[UUID, tuple[Chunk, str]]
) -> list[Cut]:
    cut = [Cut(hit, "duplicate") for hit in twins] + [Cut(hit, "beyond_limit") for hit in beyond]
    if run.understood is None or not out_of_date:
        return cut[:MAX_CUT]
    with tenant_tx(current_tenant_id()):
        scope = Scope(within=list(out_of_date))
        expired = store.terms_search(run.base_ids, run.understood.terms, MAX_EXPIRED, scope)
    ranks: dict[str, dict[UUID, int]] = {"lexical": {}, "vector": {}}
    for found in expired:
        chunk, code = out_of_date[found.chunk_id]
        run.terms[found.chunk_id] = found.matched_terms
        cut.insert(0, Cut(_hit(run, chunk, 0.0, ranks), code))
    return cut[:MAX_CUT]


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
        reasons=run.reasons.get(chunk.id, {}),
    )


def _elapsed_ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
