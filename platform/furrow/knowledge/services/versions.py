"""How a document gets its versions."""

import uuid
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from furrow.knowledge import storage
from furrow.knowledge.jobs import ingest_enqueue
from furrow.knowledge.models import Document, DocumentVersion, KnowledgeBase
from furrow.knowledge.services.details import Details
from furrow.knowledge.storage import StoredFile
from furrow.tenants.services import Actor, audit

READ_FIELDS = ("text", "blocks", "pages", "page_count", "language", "warnings")


@dataclass(frozen=True)
class Incoming:
    """A stored file, or an address whose content is still to be fetched."""

    version_id: UUID
    file_name: str = ""
    content_type: str = ""
    stored: StoredFile | None = None
    url: str = ""
    is_replacing: bool = True


def version_add(
    actor: Actor, knowledge_base: KnowledgeBase, details: Details, incoming: Incoming
) -> Document:
    """The document, new or found, with one more version that waits to be read."""
    _same_source_lock(knowledge_base.id, details.external_id or incoming.file_name or incoming.url)
    document = _document_find(knowledge_base, details, incoming)
    if document is not None and _has_already(document, details, incoming):
        if incoming.stored:
            storage.file_delete(incoming.stored.key)
        details.write_to(document)
        document.save()
        document.is_unchanged = True
        return document
    action = "document.replaced" if document else "document.created"
    if document is None:
        document = Document(knowledge_base=knowledge_base, source_url=incoming.url)
        document.title = incoming.file_name or incoming.url
    details.write_to(document)
    document.title = document.title[:300]
    document.save()
    version = DocumentVersion(
        id=incoming.version_id,
        file_name=incoming.file_name,
        content_type=incoming.content_type,
        stages={"named": bool(details.title)},
    )
    if incoming.stored:
        version.file_key = incoming.stored.key
        version.size_bytes, version.sha256 = incoming.stored.size_bytes, incoming.stored.sha256
    _version_queue(document, version)
    audit(actor, action, object_type="document", object_id=document.id, version=version.number)
    return document


def version_add_renamed(document: Document) -> None:
    """A version of the same words under the document's new title; nothing has to be read again."""
    live = DocumentVersion.objects.get(id=document.live_version_id)
    version = DocumentVersion(
        id=uuid.uuid4(),
        file_name=live.file_name,
        content_type=live.content_type,
        file_key=live.file_key,
        size_bytes=live.size_bytes,
        sha256=live.sha256,
    )
    for name in READ_FIELDS:
        setattr(version, name, getattr(live, name))
    read = {name: live.stages[name] for name in ("parsing", "parsed") if name in live.stages}
    version.stages = {**read, "named": True}
    _version_queue(document, version)


def document_lock(document: Document) -> Document:
    """The row as it is now, held to the end of the transaction: publishing takes the same lock."""
    return Document.objects.select_for_update(no_key=True).get(id=document.id)  # type: ignore[no-any-return]


def _same_source_lock(knowledge_base_id: UUID, source: str) -> None:
    """Two uploads of one file at the same moment become two versions, never two documents."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"document:{knowledge_base_id}:{source}"],
        )


def _document_find(
    knowledge_base: KnowledgeBase, details: Details, incoming: Incoming
) -> Document | None:
    documents = Document.objects.filter(
        knowledge_base=knowledge_base, deleted_at=None
    ).select_for_update(of=("self",), no_key=True)
    if details.external_id:
        documents = documents.filter(external_id=details.external_id)
    elif incoming.url:
        documents = documents.filter(external_id="", source_url=incoming.url)
    elif incoming.is_replacing:
        named = DocumentVersion.objects.filter(
            file_name=incoming.file_name, document__source_url=""
        )
        documents = documents.filter(
            external_id="", id__in=named.values_list("document_id", flat=True)
        )
    else:
        return None
    return documents.order_by("created_at").first()


def _has_already(document: Document, details: Details, incoming: Incoming) -> bool:
    """Whether the newest words of the document are the very same file under the same title."""
    if incoming.stored is None or (details.title and details.title != document.title):
        return False
    newest = (
        DocumentVersion.objects.filter(document=document)
        .defer(*READ_FIELDS)
        .order_by("-number")
        .first()
    )
    return (
        newest is not None
        and newest.state in {DocumentVersion.State.LIVE, DocumentVersion.State.BUILDING}
        and newest.sha256 == incoming.stored.sha256
    )


def _version_queue(document: Document, version: DocumentVersion) -> None:
    # Newer words make unfinished older ones pointless; their job notices by itself.
    DocumentVersion.objects.filter(document=document, state=DocumentVersion.State.BUILDING).update(
        state=DocumentVersion.State.RETIRED
    )
    newest = DocumentVersion.objects.filter(document=document).order_by("-number").only("number")
    last = newest.first()
    version.document = document
    version.number = last.number + 1 if last else 1
    version.save(force_insert=True)
    document.status, document.error_code = Document.Status.QUEUED, ""
    document.progress_done = document.progress_total = 0
    document.save(
        update_fields=["status", "error_code", "progress_done", "progress_total", "updated_at"]
    )
    ingest_enqueue(version.id)
