"""The moment a version goes live, in one transaction, and the end of one that failed."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from furrow.core.context import tenant_tx
from furrow.core.extensions import JobRun
from furrow.knowledge import corrections, indexing, known_questions, vectors
from furrow.knowledge.disagreements import disagreements_due
from furrow.knowledge.jobs import embed_enqueue, relations_enqueue
from furrow.knowledge.lexical import compaction, store
from furrow.knowledge.lexical.segments import build_segment
from furrow.knowledge.models import Chunk, Document, DocumentVersion, Finding
from furrow.knowledge.relations import relations_note
from furrow.knowledge.selectors import HEAVY_FIELDS


def version_publish(job: JobRun, version_id: UUID, document_id: UUID) -> None:
    """Swaps the document's live version. Whoever lost the lease publishes nothing: it is renewed in the
    same transaction, and the lock on its row keeps every other worker away until the commit.
    """
    with tenant_tx(job.tenant_id):
        corrections.originals_switch_off(document_id, version_id)
        chunks = Chunk.objects.filter(version_id=version_id, is_enabled=True).order_by("ordinal")
        docs = [(c.id, c.header, c.text) for c in chunks.only("id", "header", "text")]
    segment = build_segment(docs)
    with tenant_tx(job.tenant_id):
        version = _version_locked(version_id, document_id)
        job.renew()
        if version is None:
            return
        document = version.document
        old_id = document.live_version_id
        DocumentVersion.objects.filter(document=document, state=DocumentVersion.State.LIVE).update(
            state=DocumentVersion.State.RETIRED
        )
        store.segment_insert(document.knowledge_base_id, segment)
        vectors.vectors_publish(version_id)
        if old_id is not None:
            indexing.version_erase(document.knowledge_base_id, old_id)
        _live_set(document, version)
        known_questions.relink(document)
        Finding.objects.filter(document=document).exclude(version=version).delete()
        corrections.replacement_live(document)
        disagreements_due(document.knowledge_base_id, version.id, old_id)
        compaction.compaction_enqueue_if_due(document.knowledge_base_id)
        embedded = version.stages["embedding"]
        base = document.knowledge_base
        if embedded["state"] == "postponed" or embedded.get("model") != base.embedding_model:
            embed_enqueue(document.knowledge_base_id)


def _version_locked(version_id: UUID, document_id: UUID) -> DocumentVersion | None:
    """The version with its document locked, or None when it must not go live any more. The document comes
    first, as for an upload, and what is read after it is no older than the lock.
    """
    document = Document.objects.select_for_update(no_key=True).get(id=document_id)
    version = DocumentVersion.objects.defer(*HEAVY_FIELDS).get(id=version_id)
    version.document = document
    is_wanted = version.state == DocumentVersion.State.BUILDING and not document.deleted_at
    return version if is_wanted else None


def _live_set(document: Document, version: DocumentVersion) -> None:
    version.state, version.published_at = DocumentVersion.State.LIVE, timezone.now()
    version.save(update_fields=["state", "published_at"])
    document.live_version = version
    document.status, document.error_code = Document.Status.READY, ""
    document.progress_done = document.progress_total = version.chunk_count
    text = DocumentVersion.objects.values_list("text", flat=True).get(id=version.id)
    if relations_note(document, text):
        relations_enqueue(document.knowledge_base_id)
    document.save(
        update_fields=[
            "family",
            "cites",
            "live_version",
            "status",
            "error_code",
            "progress_done",
            "progress_total",
            "updated_at",
        ]
    )


@transaction.atomic
def version_abandon(version_id: UUID, document_id: UUID, code: str) -> None:
    """Marks a version as failed, inside `tenant_tx`. An older version that is live goes on serving."""
    version = _version_locked(version_id, document_id)
    if version is None:
        return
    for noted in version.stages.values():
        if isinstance(noted, dict) and noted.get("state") == "running":
            noted["state"] = "failed"
    version.state = DocumentVersion.State.FAILED
    version.save(update_fields=["state", "stages"])
    document = version.document
    document.status, document.error_code = Document.Status.FAILED, code[:60]
    document.save(update_fields=["status", "error_code", "updated_at"])
