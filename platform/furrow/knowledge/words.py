"""The lexical leg of a search: what the words find, and what is known beyond the words. Inside `tenant_tx`."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from furrow.core.context import current_tenant_id
from furrow.knowledge.bulk import binary_cursor
from furrow.knowledge.known_questions import lessons_for
from furrow.knowledge.lexical import store
from furrow.knowledge.lexical.scoring import Hit
from furrow.knowledge.lexical.store import Scope
from furrow.knowledge.ranking.naming import documents_named
from furrow.knowledge.ranking.rescoring import Facts, Rescored, depth_for, rescore, titles_of
from furrow.knowledge.understanding import Understood

# A question that fits more titles than this names none of them.
_MOST_NAMED = 8


@dataclass(frozen=True)
class _Place:
    bases: list[UUID]
    scope: Scope
    depth: int


def words_find(
    knowledge_base_ids: list[UUID], query: Understood, limit: int, scope: Scope
) -> list[Rescored]:
    """The best passages by their words, best first."""
    place = _Place(knowledge_base_ids, scope, depth_for(limit))
    hits = store.terms_search(place.bases, query.terms, place.depth, scope)
    lessons = lessons_for(place.bases, query.own_terms)
    facts = facts_fetch([hit.chunk_id for hit in hits])
    hits = _with_named(query, hits, facts, place)
    wanted = [hit.chunk_id for hit in hits if hit.chunk_id not in facts]
    taught = _allowed([c for c in lessons.chunks if c not in facts], scope) if lessons else []
    facts |= facts_fetch([*wanted, *taught])
    return rescore(query.own_terms, hits, facts, lessons)[: place.depth]


def _with_named(
    query: Understood, hits: list[Hit], facts: dict[UUID, Facts], place: _Place
) -> list[Hit]:
    """Of a document that the question names, also the passages that other documents crowded out."""
    titles = titles_of(hits, facts)
    named = documents_named(query.own_terms, titles)
    if not named or len(named) > _MOST_NAMED or len(titles) == 1:
        return hits
    inside = _allowed(_chunks_of(list(named)), place.scope)
    more = store.terms_search(place.bases, query.terms, place.depth, Scope(within=inside))
    known = {hit.chunk_id for hit in hits}
    return [*hits, *(hit for hit in more if hit.chunk_id not in known)]


def _allowed(chunk_ids: list[UUID], scope: Scope) -> list[UUID]:
    if scope.within is not None:
        allowed = set(scope.within)
        return [chunk_id for chunk_id in chunk_ids if chunk_id in allowed]
    shut = set(scope.without)
    return [chunk_id for chunk_id in chunk_ids if chunk_id not in shut]


def _chunks_of(document_ids: list[UUID]) -> list[UUID]:
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT c.id FROM knowledge_document d JOIN knowledge_chunk c"
            " ON c.tenant_id = d.tenant_id AND c.document_id = d.id AND c.version_id = d.live_version_id"
            " WHERE d.tenant_id = %b AND d.id = ANY(%b)",
            [current_tenant_id(), document_ids],
        )
        return [row[0] for row in cursor]


def facts_fetch(chunk_ids: Sequence[UUID]) -> dict[UUID, Facts]:
    """Of live, enabled passages; in one query, none when there is nothing to ask."""
    if not chunk_ids:
        return {}
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT c.id, d.id, d.title, d.family, c.heading_path, d.cited_by"
            " FROM knowledge_chunk c JOIN knowledge_document d"
            " ON d.tenant_id = c.tenant_id AND d.id = c.document_id AND d.live_version_id = c.version_id"
            " WHERE c.tenant_id = %b AND c.id = ANY(%b) AND c.is_enabled AND d.deleted_at IS NULL",
            [current_tenant_id(), list(chunk_ids)],
        )
        return {row[0]: Facts(row[1], row[2], row[3], section_of(row[4]), row[5]) for row in cursor}


def section_of(heading_path: Sequence[str]) -> str:
    return " / ".join(heading_path)[:1000]
