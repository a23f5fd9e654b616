"""Chunk vectors in PostgreSQL, inside `tenant_tx`.

A base is scanned exactly until it is large; then a partial HNSW index of its own takes over. Vectors of a
version that is still being built carry a marked model name, so no search can meet them.
"""

import re
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from furrow.core.context import current_tenant_id
from furrow.knowledge.bulk import insert_rows, vector_literal
from furrow.knowledge.models import Chunk, ChunkVector

_BUILDING = "building:"
# HNSW of pgvector holds half-precision vectors up to this size.
MAX_INDEXED_DIMENSIONS = 4000
# How many candidates the index keeps in hand; what the graph itself cannot reach, more of them do not find either.
_LEAST_EF = 200


def vectors_add(
    knowledge_base_id: UUID,
    model: str,
    vectors: Sequence[tuple[UUID, Sequence[float]]],
    *,
    is_building: bool = False,
) -> None:
    """Given as (chunk id, vector); a chunk that has one by this model keeps it."""
    rows = [
        ChunkVector(
            knowledge_base_id=knowledge_base_id,
            chunk_id=chunk_id,
            model=_BUILDING + model if is_building else model,
            embedding=vector,
        )
        for chunk_id, vector in vectors
    ]
    insert_rows(rows, skip_existing=True)


def vectors_publish(version_id: UUID) -> None:
    """Lets searches see the vectors of a version that goes live."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE knowledge_chunkvector v SET model = substr(v.model, %s) FROM knowledge_chunk c"
            " WHERE c.tenant_id = v.tenant_id AND c.id = v.chunk_id"
            " AND c.tenant_id = %s AND c.version_id = %s AND starts_with(v.model, %s)",
            [len(_BUILDING) + 1, current_tenant_id(), version_id, _BUILDING],
        )


def vectors_remove(chunk_ids: Sequence[UUID]) -> None:
    ChunkVector.objects.filter(chunk_id__in=chunk_ids).delete()


def chunks_without_vector(version_id: UUID, model: str, limit: int) -> list[Chunk]:
    """Chunks of a version being built that are still to be embedded, in order."""
    done = ChunkVector.objects.filter(model=_BUILDING + model, chunk__version_id=version_id)
    chunks = Chunk.objects.filter(version_id=version_id, is_enabled=True)
    return list(
        chunks.exclude(id__in=done.values_list("chunk_id", flat=True)).order_by("ordinal")[:limit]
    )


_SCAN = """
SELECT chunk_id, 1 - ({distance}) FROM knowledge_chunkvector
 WHERE knowledge_base_id = %(base)s AND model = %(model)s{scope}
 ORDER BY {order} LIMIT %(limit)s
"""


def nearest(
    knowledge_base_id: UUID,
    model: str,
    query: Sequence[float],
    limit: int,
    *,
    within: Sequence[UUID] | None = None,
    without: Sequence[UUID] = (),
) -> list[tuple[UUID, float]]:
    """(chunk id, cosine similarity), best first. Exact unless the base has an index for this model."""
    distance = f"embedding::halfvec({len(query)}) <=> %(query)s::halfvec({len(query)})"
    scope, order = "", distance
    if within is not None:
        scope += " AND chunk_id = ANY(%(within)s)"
        # A sum is no order an index can give: few chosen chunks are compared one by one.
        order = f"({distance}) + 0"
    if without:
        scope += " AND chunk_id <> ALL(%(without)s)"
    with connection.cursor() as cursor:
        # Filters are applied to what the index finds; it goes on looking until there is enough.
        cursor.execute(
            "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),"
            " set_config('hnsw.ef_search', %s, true)",
            [str(min(max(4 * limit, _LEAST_EF), 1000))],
        )
        cursor.execute(
            _SCAN.format(distance=distance, scope=scope, order=order),
            {
                "query": vector_literal(query),
                "base": knowledge_base_id,
                "model": model,
                "within": list(within or ()),
                "without": list(without),
                "limit": limit,
            },
        )
        found = [(chunk_id, float(likeness)) for chunk_id, likeness in cursor.fetchall()]
    return sorted(found, key=lambda pair: -pair[1])


def index_name(knowledge_base_id: UUID, model: str) -> str:
    """One index a base and model; the model's part is only there to read."""
    readable = re.sub(r"[^a-z0-9]+", "_", model.lower())[:16]
    return f"vectors_{knowledge_base_id.hex}_{readable}"
