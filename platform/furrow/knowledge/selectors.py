"""Reads of knowledge bases, documents and chunks, inside `tenant_tx`."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Q, QuerySet, When
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from furrow.core.context import current_tenant_id
from furrow.core.errors import NotFound
from furrow.core.jobs import places_in_queue
from furrow.core.models import Job
from furrow.knowledge.cleaning.contradictions import KIND
from furrow.knowledge.failures import failure_message
from furrow.knowledge.models import (
    Chunk,
    Document,
    DocumentVersion,
    Finding,
    KnowledgeBase,
    KnownQuestion,
    PassageCorrection,
)
from furrow.knowledge.storage import file_path

STAGES = ("parsing", "cleaning", "embedding")
HEAVY_FIELDS = ("text", "blocks", "pages")
# Kinds of findings by which a customer is told something wrong.
MOST_MISLEADING = (KIND, "stale", "placeholder")


@dataclass(frozen=True)
class StageStatus:
    """`state` is waiting, running, done, failed or postponed (done later, the document serves without)."""

    name: str
    state: str
    done: int = 0
    total: int = 0
    seconds: float | None = None


@dataclass(frozen=True)
class DocumentStatus:
    """`place_in_queue` counts the jobs that start before this one, None when it does not wait.
    `error` is {code, message} with the message in the active language.
    """

    status: str
    label: str
    done: int
    total: int
    place_in_queue: int | None = None
    error: dict[str, str] | None = None
    stages: list[StageStatus] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)


def knowledge_base_get(knowledge_base_id: UUID) -> KnowledgeBase:
    base = KnowledgeBase.objects.filter(id=knowledge_base_id, deleted_at=None).first()
    if base is None:
        raise NotFound(_("This knowledge base does not exist."))
    return base  # type: ignore[no-any-return]


def knowledge_base_get_deleted(knowledge_base_id: UUID) -> KnowledgeBase:
    """For undoing a deletion."""
    base = KnowledgeBase.objects.filter(id=knowledge_base_id).exclude(deleted_at=None).first()
    if base is None:
        raise NotFound(_("This knowledge base does not exist."))
    return base  # type: ignore[no-any-return]


def knowledge_bases_list() -> QuerySet[Any]:
    return KnowledgeBase.objects.filter(deleted_at=None).order_by("name", "id")


def document_get(document_id: UUID) -> Document:
    document = (
        Document.objects.filter(
            id=document_id, deleted_at=None, knowledge_base__deleted_at__isnull=True
        )
        .select_related("knowledge_base")
        .first()
    )
    if document is None:
        raise NotFound(_("This document does not exist."))
    return document  # type: ignore[no-any-return]


def document_get_deleted(document_id: UUID) -> Document:
    """For undoing a deletion."""
    document = (
        Document.objects.filter(id=document_id, knowledge_base__deleted_at__isnull=True)
        .exclude(deleted_at=None)
        .select_related("knowledge_base")
        .first()
    )
    if document is None:
        raise NotFound(_("This document does not exist."))
    return document  # type: ignore[no-any-return]


def documents_list(
    knowledge_base: KnowledgeBase, *, query: str = "", status: str = ""
) -> QuerySet[Any]:
    """Newest first; `query` is looked for in titles and external ids."""
    documents = Document.objects.filter(knowledge_base=knowledge_base, deleted_at=None)
    if query:
        documents = documents.filter(Q(title__icontains=query) | Q(external_id__icontains=query))
    if status:
        documents = documents.filter(status=status)
    return documents.order_by("-created_at", "-id")


def documents_of_bases(knowledge_base_ids: Iterable[UUID]) -> QuerySet[Any]:
    """By title, for a choice of one."""
    documents = Document.objects.filter(
        knowledge_base_id__in=list(knowledge_base_ids),
        deleted_at=None,
        knowledge_base__deleted_at__isnull=True,
    )
    return documents.order_by("title", "id")


def version_latest(document: Document) -> DocumentVersion | None:
    """The newest version, whatever became of it, without its text."""
    versions = DocumentVersion.objects.filter(document=document).defer(*HEAVY_FIELDS)
    return versions.order_by("-number").first()


def versions_of(document: Document) -> QuerySet[Any]:
    """Newest first, without their texts."""
    versions = DocumentVersion.objects.filter(document=document).defer(*HEAVY_FIELDS)
    return versions.order_by("-number")


def version_get(version_id: UUID) -> DocumentVersion:
    """With its whole text."""
    version = DocumentVersion.objects.filter(id=version_id).select_related("document").first()
    if version is None:
        raise NotFound(_("This version does not exist."))
    return version  # type: ignore[no-any-return]


def version_file(version: DocumentVersion) -> Path:
    """Where the uploaded file lies; raises `NotFound` for a version that came without one."""
    path = file_path(version.file_key)
    if not version.file_key or not path.is_file():
        raise NotFound(_("The file of this document is not stored."))
    return path


def chunks_of(document: Document) -> QuerySet[Any]:
    """The chunks of the live version in reading order."""
    return Chunk.objects.filter(version_id=document.live_version_id).order_by("ordinal")


def chunk_get(chunk_id: UUID) -> Chunk:
    chunk = (
        Chunk.objects.filter(
            id=chunk_id,
            document__deleted_at__isnull=True,
            knowledge_base__deleted_at__isnull=True,
        )
        .select_related("document", "knowledge_base")
        .first()
    )
    if chunk is None:
        raise NotFound(_("This passage does not exist."))
    return chunk  # type: ignore[no-any-return]


def findings_of(knowledge_base: KnowledgeBase, *, state: str = "", kind: str = "") -> QuerySet[Any]:
    """Of what is live now; what misleads customers most first, then the surest. A dispute with a document that has expired since is none."""
    findings = _findings_live().filter(knowledge_base=knowledge_base)
    if state:
        findings = findings.filter(state=state)
    if kind:
        findings = findings.filter(kind=kind)
    weight = Case(
        *(When(kind=name, then=place) for place, name in enumerate(MOST_MISLEADING)),
        default=len(MOST_MISLEADING),
    )
    # The sides of one dispute stand together.
    return findings.select_related("document").order_by(
        weight, "kind", "reason__about", "-score", "document__title", "start"
    )


def _findings_live() -> QuerySet[Any]:
    today = timezone.localdate().isoformat()
    return Finding.objects.filter(
        ~Q(state=Finding.State.OPEN) | Q(reason__until__isnull=True) | Q(reason__until__gte=today),
        document__deleted_at=None,
        document__live_version_id=F("version_id"),
    )


def findings_open() -> dict[UUID, int]:
    """How many findings wait for a decision, by knowledge base."""
    rows = _findings_live().filter(state=Finding.State.OPEN, knowledge_base__deleted_at=None)
    return dict(rows.values_list("knowledge_base_id").annotate(Count("id")))


def findings_counts(knowledge_base: KnowledgeBase) -> dict[str, dict[str, int]]:
    """By state, then by kind."""
    counts: dict[str, dict[str, int]] = {state: {} for state in Finding.State.values}
    rows = findings_of(knowledge_base).order_by().values_list("state", "kind").annotate(Count("id"))
    for state, kind, count in rows:
        counts[state][kind] = count
    return counts


def disputes_by_document(knowledge_base: KnowledgeBase) -> list[dict[str, Any]]:
    """The documents that disagree with others: `document_id`, `title` and at how many `places`."""
    rows = findings_of(knowledge_base, state=Finding.State.OPEN, kind=KIND)
    counted = rows.order_by().values("document_id", title=F("document__title"))
    return list(counted.annotate(places=Count("id")).order_by("-places", "title"))


def documents_expiring(
    knowledge_base: KnowledgeBase | None = None, *, days: int = 14
) -> QuerySet[Any]:
    """Documents, of one base or all, whose last valid day is past or within `days`, the soonest first."""
    last = timezone.localdate() + timedelta(days=days)
    documents = Document.objects.filter(deleted_at=None, valid_to__lte=last)
    if knowledge_base is not None:
        documents = documents.filter(knowledge_base=knowledge_base)
    return documents.filter(knowledge_base__deleted_at=None).order_by("valid_to", "title")


def corrections_of(document: Document) -> QuerySet[Any]:
    """Of a source, those whose passage it no longer says first; of a replacement, its own."""
    rows = PassageCorrection.objects.filter(Q(document=document) | Q(replacement=document))
    rows = rows.select_related("document", "replacement__live_version")
    return rows.order_by("-is_source_changed", "created_at")


def known_questions_of(document: Document) -> QuerySet[Any]:
    """Newest first; those whose passage is gone among them, for their section still counts."""
    rows = KnownQuestion.objects.filter(document=document).select_related("chunk")
    return rows.order_by("-created_at", "id")


def correction_get(correction_id: UUID) -> PassageCorrection:
    row: PassageCorrection | None = (
        PassageCorrection.objects.filter(id=correction_id, document__deleted_at__isnull=True)
        .select_related("document", "replacement")
        .first()
    )
    if row is None:
        raise NotFound(_("This correction does not exist."))
    return row


def document_status(document: Document) -> DocumentStatus:
    return document_statuses([document])[document.id]


def document_statuses(documents: Iterable[Document]) -> dict[UUID, DocumentStatus]:
    """By document id, in a fixed number of queries."""
    documents = list(documents)
    versions = _latest_versions([document.id for document in documents])
    places = _places([versions[d.id].id for d in documents if _is_waiting(d) and d.id in versions])
    return {
        document.id: _status(document, versions.get(document.id), places) for document in documents
    }


def _is_waiting(document: Document) -> bool:
    return document.status == Document.Status.QUEUED


def _latest_versions(document_ids: Sequence[UUID]) -> dict[UUID, DocumentVersion]:
    versions = (
        DocumentVersion.objects.filter(document_id__in=document_ids)
        .defer(*HEAVY_FIELDS)
        .order_by("document_id", "-number")
        .distinct("document_id")
    )
    return {version.document_id: version for version in versions}


def _places(version_ids: Sequence[UUID]) -> dict[UUID, int]:
    if not version_ids:
        return {}
    jobs = Job.active().filter(
        tenant_id=current_tenant_id(), kind="knowledge.ingest", subject_id__in=version_ids
    )
    return {job.subject_id: place for job, place in places_in_queue(list(jobs)).items()}


def _status(
    document: Document, version: DocumentVersion | None, places: dict[UUID, int]
) -> DocumentStatus:
    error = None
    if document.status == Document.Status.FAILED:
        message = failure_message(document.error_code, get_language() or "en")
        error = {"code": document.error_code, "message": message}
    return DocumentStatus(
        status=document.status,
        label=str(Document.Status(document.status).label),
        done=document.progress_done,
        total=document.progress_total,
        place_in_queue=places.get(version.id) if version and _is_waiting(document) else None,
        error=error,
        stages=_stages(version),
        warnings=list(version.warnings) if version else [],
    )


def _stages(version: DocumentVersion | None) -> list[StageStatus]:
    noted: dict[str, dict[str, Any]] = defaultdict(dict)
    noted.update(version.stages if version else {})
    return [
        StageStatus(
            name,
            noted[name].get("state", "waiting"),
            noted[name].get("done", 0),
            noted[name].get("total", 0),
            noted[name].get("seconds"),
        )
        for name in STAGES
    ]
