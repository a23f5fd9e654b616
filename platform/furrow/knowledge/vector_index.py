"""A large knowledge base's own HNSW index, built by the owner of the tables without blocking anyone."""

from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from furrow.core.context import tenant_tx
from furrow.core.extensions import JobRun
from furrow.core.logs import get_logger
from furrow.knowledge.models import ChunkVector, KnowledgeBase
from furrow.knowledge.vectors import MAX_INDEXED_DIMENSIONS, index_name

log = get_logger(__name__)

# Denser than pgvector's own 16 and 64: at half a million vectors in crowds of 250 those left a query or two of a hundred in
# the wrong crowd (recall@10 0.976 with 200 candidates, 0.987 with 400 and 800), these found everything with 200.
_LINKS, _CANDIDATES = 24, 128


class VectorIndexHandler:
    """Runs "knowledge.vector_index" on a knowledge base."""

    def run(self, job: JobRun) -> None:
        vector_index_build(job.tenant_id, job.subject_id)

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        """Searches stay exact and right, only slower; `manage.py build_vector_index` can be run by hand."""


def vector_index_build(tenant_id: UUID, knowledge_base_id: UUID) -> bool:
    """Builds the index if the base is past `VECTOR_EXACT_LIMIT`; whether it has one now."""
    with tenant_tx(tenant_id):
        base = KnowledgeBase.objects.get(id=knowledge_base_id)
        rows = ChunkVector.objects.filter(knowledge_base=base, model=base.embedding_model)
        first = rows.first()
        is_large = rows.count() > settings.VECTOR_EXACT_LIMIT
    dimensions = len(first.embedding) if first is not None else 0
    if not is_large or dimensions > MAX_INDEXED_DIMENSIONS:
        return False
    index_create(base.id, base.embedding_model, dimensions)
    with tenant_tx(tenant_id):
        KnowledgeBase.objects.filter(id=base.id, embedding_model=base.embedding_model).update(
            has_vector_index=True
        )
    return True


def index_create(knowledge_base_id: UUID, model: str, dimensions: int) -> None:
    """Replaces whatever index the base has. Literals, because a partial index knows no parameters."""
    name = index_name(knowledge_base_id, model)
    statement = sql.SQL(
        "CREATE INDEX CONCURRENTLY {name} ON knowledge_chunkvector"
        " USING hnsw ((embedding::halfvec({size})) halfvec_cosine_ops)"
        " WITH (m = {links}, ef_construction = {candidates})"
        " WHERE knowledge_base_id = {base} AND model = {model}"
    ).format(
        name=sql.Identifier(name),
        size=sql.Literal(dimensions),
        links=sql.Literal(_LINKS),
        candidates=sql.Literal(_CANDIDATES),
        base=sql.Literal(str(knowledge_base_id)),
        model=sql.Literal(model),
    )
    with _owner_connection() as connection:
        index_drop(connection, knowledge_base_id)
        connection.execute(
            sql.SQL("SET maintenance_work_mem = {}").format(
                sql.Literal(f"{settings.VECTOR_BUILD_MB}MB")
            )
        )
        connection.execute(statement)
    log.info("vector_index_built", knowledge_base=str(knowledge_base_id))


def index_drop(connection: "psycopg.Connection[tuple[str]]", knowledge_base_id: UUID) -> None:
    """Also removes what a build that was cut short left behind."""
    names = connection.execute(
        "SELECT indexname FROM pg_indexes WHERE starts_with(indexname, %s)",
        [f"vectors_{knowledge_base_id.hex}_"],
    ).fetchall()
    for (name,) in names:
        connection.execute(
            sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name))
        )


def _owner_connection() -> "psycopg.Connection[tuple[str]]":
    """Of its own: building concurrently cannot run in a transaction that someone else has open."""
    owner = connections["owner"]
    connection: psycopg.Connection[tuple[str]] = owner.get_new_connection(
        owner.get_connection_params()
    )
    connection.autocommit = True
    return connection
