"""The job that embeds what a knowledge base still lacks: after a bulk load, a pause of the model server, or a
change of the model. The old vectors serve until the new ones are complete.
"""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from furrow.core.context import tenant_tx, unscoped
from furrow.core.extensions import JobRun
from furrow.core.jobs import ContinueLater
from furrow.gateway.embeddings import BATCH_SIZE, embed_texts
from furrow.knowledge import vectors
from furrow.knowledge.ingest import VECTORS_PENDING, embedding_text
from furrow.knowledge.jobs import embed_enqueue, vector_index_enqueue
from furrow.knowledge.models import Chunk, ChunkVector, DocumentVersion, KnowledgeBase

# After this the job gives way to other tenants' files.
SLICE_S = 20.0
RETRY_AFTER = timedelta(minutes=10)
_DELETE_AT_ONCE = 20_000


class EmbedHandler:
    """Runs "knowledge.embed" on a knowledge base."""

    def run(self, job: JobRun) -> None:
        backfill(job)

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        # The model server has been away for long: look again from time to time, at little cost.
        embed_enqueue(subject_id, delay=RETRY_AFTER)


def backfill(job: JobRun, slice_s: float = SLICE_S) -> None:
    """Embeds for `slice_s` at most, then raises `ContinueLater` while there is more."""
    model, base_id = settings.EMBEDDINGS_MODEL, job.subject_id
    deadline = time.monotonic() + slice_s
    last: UUID | None = None
    while True:
        with tenant_tx(job.tenant_id):
            missing = _missing(base_id, model)
            if last is not None:
                missing = missing.filter(id__gt=last)
            chunks = list(missing.only("id", "header", "text").order_by("id")[:BATCH_SIZE])
        if not chunks:
            break
        embedded = embed_texts([embedding_text(c) for c in chunks], model=model, priority="batch")
        with tenant_tx(job.tenant_id):
            pairs = [(chunk.id, vector) for chunk, vector in zip(chunks, embedded, strict=True)]
            vectors.vectors_add(base_id, model, pairs)
            job.renew()
        last = chunks[-1].id
        if time.monotonic() > deadline:
            raise ContinueLater
    with tenant_tx(job.tenant_id):
        is_complete = _switch(base_id, model)
        job.renew()
    if not is_complete:
        raise ContinueLater
    _old_vectors_delete(job, model)


def stale_bases_enqueue() -> int:
    """Queues every base whose vectors are of another model than the configured one; their number."""
    with unscoped("find knowledge bases with vectors of an old model"):
        stale = list(
            KnowledgeBase.objects.filter(deleted_at=None)
            .exclude(embedding_model=settings.EMBEDDINGS_MODEL)
            .values_list("tenant_id", "id")
        )
    for tenant_id, base_id in stale:
        with tenant_tx(tenant_id):
            embed_enqueue(base_id)
    return len(stale)


def _missing(knowledge_base_id: UUID, model: str) -> QuerySet[Any]:
    has_vector = ChunkVector.objects.filter(chunk_id=OuterRef("id"), model=model)
    return Chunk.objects.filter(
        ~Exists(has_vector),
        knowledge_base_id=knowledge_base_id,
        is_enabled=True,
        version__state=DocumentVersion.State.LIVE,
        document__deleted_at__isnull=True,
    )


def _switch(knowledge_base_id: UUID, model: str) -> bool:
    """Lets the new vectors serve if they are complete; whether they are."""
    base = KnowledgeBase.objects.select_for_update(no_key=True).get(id=knowledge_base_id)
    if _missing(knowledge_base_id, model).exists():
        return False
    if base.embedding_model != model:
        base.embedding_model, base.has_vector_index = model, False
        base.save(update_fields=["embedding_model", "has_vector_index"])
    pending = DocumentVersion.objects.filter(
        document__knowledge_base=base, warnings__contains=[{"code": VECTORS_PENDING["code"]}]
    ).only("id", "warnings", "stages")
    for version in pending:
        version.warnings = [w for w in version.warnings if w["code"] != VECTORS_PENDING["code"]]
        version.stages["embedding"].update(state="done", model=model)
        version.save(update_fields=["warnings", "stages"])
    if not base.has_vector_index:
        count = ChunkVector.objects.filter(knowledge_base=base, model=model).count()
        if count > settings.VECTOR_EXACT_LIMIT:
            vector_index_enqueue(base.id)
    return True


def _old_vectors_delete(job: JobRun, model: str) -> None:
    """In pieces, each far from the timeouts; vectors of versions being built are left to their job."""
    while True:
        with tenant_tx(job.tenant_id), connection.cursor() as cursor:
            old = ChunkVector.objects.filter(knowledge_base_id=job.subject_id).exclude(
                Q(model=model) | Q(model__startswith="building:")
            )
            ids = list(old.values_list("id", flat=True)[:_DELETE_AT_ONCE])
            cursor.execute("DELETE FROM knowledge_chunkvector WHERE id = ANY(%s)", [ids])
            job.renew()
        if len(ids) < _DELETE_AT_ONCE:
            return
