"""Puts chunks into the two indexes and takes them out, inside `tenant_tx`."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from furrow.knowledge import vectors
from furrow.knowledge.jobs import embed_enqueue
from furrow.knowledge.lexical import compaction, store
from furrow.knowledge.models import Chunk


def chunks_index(knowledge_base_id: UUID, chunks: Sequence[Chunk]) -> None:
    """Searchable by words at once, by vector when the backfill has passed."""
    # An enabled chunk may still stand in a segment as dead, or alive when it was restored twice.
    store.chunks_remove(knowledge_base_id, [chunk.id for chunk in chunks])
    store.chunks_add(knowledge_base_id, ((c.id, c.header, c.text) for c in chunks))
    compaction.compaction_enqueue_if_due(knowledge_base_id)
    embed_enqueue(knowledge_base_id, delay=timedelta(seconds=1))


def chunks_unindex(knowledge_base_id: UUID, chunk_ids: Sequence[UUID]) -> None:
    store.chunks_remove(knowledge_base_id, chunk_ids)
    vectors.vectors_remove(chunk_ids)
    compaction.compaction_enqueue_if_due(knowledge_base_id)


def version_index(knowledge_base_id: UUID, version_id: UUID) -> None:
    chunks = Chunk.objects.filter(version_id=version_id, is_enabled=True).order_by("ordinal")
    chunks_index(knowledge_base_id, list(chunks))


def version_unindex(knowledge_base_id: UUID, version_id: UUID | None) -> None:
    if version_id is not None:
        ids = Chunk.objects.filter(version_id=version_id).values_list("id", flat=True)
        chunks_unindex(knowledge_base_id, list(ids))


def version_erase(knowledge_base_id: UUID, version_id: UUID) -> None:
    """Of a retired version the text stays, for the answers that cite it; its chunks go."""
    version_unindex(knowledge_base_id, version_id)
    Chunk.objects.filter(version_id=version_id).delete()
