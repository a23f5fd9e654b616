"""Writes on documents, inside `tenant_tx`. Reading and indexing happen later in the ingest job."""

import io
import uuid
from datetime import date
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.core.errors import Conflict, Invalid
from furrow.knowledge import indexing, storage
from furrow.knowledge.disagreements import disagreements_due
from furrow.knowledge.jobs import ingest_enqueue
from furrow.knowledge.models import Chunk, Document, DocumentVersion, KnowledgeBase
from furrow.knowledge.services.details import Details, file_name_cleaned, url_checked
from furrow.knowledge.services.versions import (
    Incoming,
    document_lock,
    version_add,
    version_add_renamed,
)
from furrow.tenants.services import Actor, audit


@transaction.atomic
def document_upload(  # noqa: PLR0913  the fields of an upload form
    *,
    actor: Actor,
    knowledge_base: KnowledgeBase,
    file: BinaryIO,
    file_name: str,
    content_type: str = "",
    title: str = "",
    external_id: str = "",
    metadata: dict[str, Any] | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
    replace: bool = True,
) -> Document:
    """Stores a file and queues its reading. A document of the same external id, or with `replace` of the
    same file name, gets a new version, and its old one serves until the new one is live. When the file is
    the one already there, nothing is queued and `document.is_unchanged` is True.
    """
    details = Details.checked(title, external_id, metadata, valid_from, valid_to)
    file_name = file_name_cleaned(file_name)
    version_id = uuid.uuid4()
    stored = storage.file_save(file, version_id)
    incoming = Incoming(
        version_id=version_id,
        file_name=file_name,
        content_type=content_type[:120],
        stored=stored,
        is_replacing=replace,
    )
    try:
        return version_add(actor, knowledge_base, details, incoming)
    except BaseException:
        storage.file_delete(stored.key)
        raise


def document_add_text(  # noqa: PLR0913  the fields of an upload form
    *,
    actor: Actor,
    knowledge_base: KnowledgeBase,
    title: str,
    text: str,
    external_id: str = "",
    metadata: dict[str, Any] | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Document:
    """A document from text that was typed or sent; only an external id makes it replace another one."""
    if not title.strip():
        raise Invalid(_("The document needs a title."), field="title")
    if not text.strip():
        raise Invalid(_("The document needs some text."), field="text")
    return document_upload(
        actor=actor,
        knowledge_base=knowledge_base,
        file=io.BytesIO(text.encode("utf-8", "replace")),
        file_name=f"{title[:80]}.txt",
        content_type="text/plain; charset=utf-8",
        title=title,
        external_id=external_id,
        metadata=metadata,
        valid_from=valid_from,
        valid_to=valid_to,
        replace=False,
    )


@transaction.atomic
def document_add_url(  # noqa: PLR0913  the fields of an upload form
    *,
    actor: Actor,
    knowledge_base: KnowledgeBase,
    url: str,
    title: str = "",
    external_id: str = "",
    metadata: dict[str, Any] | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Document:
    """A document from a public web page, which the ingest job fetches. The same address replaces."""
    details = Details.checked(title, external_id, metadata, valid_from, valid_to)
    incoming = Incoming(version_id=uuid.uuid4(), url=url_checked(url))
    return version_add(actor, knowledge_base, details, incoming)


@transaction.atomic
def document_update(*, actor: Actor, document: Document, **fields: Any) -> Document:
    """Changes title, external_id, metadata, valid_from or valid_to. A new title is part of what is
    searched, so the document is indexed again in the background.
    """
    allowed = {"title", "external_id", "metadata", "valid_from", "valid_to"}
    if unknown := sorted(set(fields) - allowed):
        raise Invalid(_("This cannot be changed."), field=unknown[0])
    document = document_lock(document)
    wanted = {name: fields.get(name, getattr(document, name)) for name in allowed}
    details = Details.checked(**wanted)
    if not details.title:
        raise Invalid(_("The document needs a title."), field="title")
    is_renamed = details.title != document.title
    dates = (document.valid_from, document.valid_to)
    if details.external_id != document.external_id:
        _external_id_check(document, details.external_id)
    details.write_to(document)
    document.save(update_fields=[*allowed, "updated_at"])
    if is_renamed and document.live_version_id is not None:
        version_add_renamed(document)
    if dates != (document.valid_from, document.valid_to):
        disagreements_due(document.knowledge_base_id, document.live_version_id)
    audit(
        actor,
        "document.updated",
        object_type="document",
        object_id=document.id,
        fields=sorted(fields),
    )
    return document


@transaction.atomic
def document_delete(*, actor: Actor, document: Document) -> None:
    """Out of sight and out of search at once; `document_restore` brings it back."""
    document = document_lock(document)
    if document.deleted_at is not None:
        return
    document.deleted_at = timezone.now()
    document.save(update_fields=["deleted_at", "updated_at"])
    indexing.version_unindex(document.knowledge_base_id, document.live_version_id)
    disagreements_due(document.knowledge_base_id, document.live_version_id)
    audit(actor, "document.deleted", object_type="document", object_id=document.id)


@transaction.atomic
def document_restore(*, actor: Actor, document: Document) -> Document:
    """Undoes a deletion. A version that was still being read then starts again."""
    document = document_lock(document)
    if document.deleted_at is None:
        return document
    _external_id_check(document, document.external_id)
    document.deleted_at = None
    document.save(update_fields=["deleted_at", "updated_at"])
    if document.live_version_id is not None:
        indexing.version_index(document.knowledge_base_id, document.live_version_id)
        disagreements_due(document.knowledge_base_id, document.live_version_id)
    if document.status not in {Document.Status.READY, Document.Status.FAILED}:
        _newest_resume(document)
    audit(actor, "document.restored", object_type="document", object_id=document.id)
    return document


@transaction.atomic
def document_retry(*, actor: Actor, document: Document) -> Document:
    """Tries a failed document again. What was already read, cut and embedded is kept."""
    document = document_lock(document)
    if document.status != Document.Status.FAILED:
        raise Conflict(_("Only a document that failed can be tried again."))
    _newest_resume(document)
    audit(actor, "document.retried", object_type="document", object_id=document.id)
    return document


@transaction.atomic
def chunk_set_enabled(*, actor: Actor, chunk: Chunk, is_enabled: bool) -> Chunk:
    """Takes a passage of the live version out of the search, or puts it back."""
    document_lock(chunk.document)
    chunk.refresh_from_db()
    if chunk.is_enabled == is_enabled:
        return chunk
    chunk.is_enabled = is_enabled
    chunk.save(update_fields=["is_enabled"])
    if chunk.document.live_version_id == chunk.version_id:
        if is_enabled:
            indexing.chunks_index(chunk.knowledge_base_id, [chunk])
        else:
            indexing.chunks_unindex(chunk.knowledge_base_id, [chunk.id])
    audit(
        actor,
        "chunk.enabled" if is_enabled else "chunk.disabled",
        object_type="chunk",
        object_id=chunk.id,
    )
    return chunk


def _external_id_check(document: Document, external_id: str) -> None:
    taken = Document.objects.filter(
        knowledge_base_id=document.knowledge_base_id, external_id=external_id, deleted_at=None
    ).exclude(id=document.id)
    if external_id and taken.exists():
        raise Conflict(_("Another document has this external id."), field="external_id")


def _newest_resume(document: Document) -> None:
    version = DocumentVersion.objects.filter(document=document).order_by("-number").first()
    if version is None or version.state == DocumentVersion.State.LIVE:
        document.status = Document.Status.READY
        document.save(update_fields=["status", "updated_at"])
        return
    version.state = DocumentVersion.State.BUILDING
    version.save(update_fields=["state"])
    document.status, document.error_code = Document.Status.QUEUED, ""
    document.progress_done = document.progress_total = 0
    document.save(
        update_fields=["status", "error_code", "progress_done", "progress_total", "updated_at"]
    )
    ingest_enqueue(version.id)
