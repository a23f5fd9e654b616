"""A passage pinned to a question: given word for word, with its source, as an approved answer is."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.assistants.answers import ANSWER_LENGTH, approved_answer_create
from furrow.assistants.ladder import Citation
from furrow.assistants.models import ApprovedAnswer, Assistant
from furrow.core.errors import Invalid
from furrow.knowledge.models import Chunk, Document
from furrow.tenants.services import Actor


@transaction.atomic
def passage_pin(
    *, actor: Actor, assistant: Assistant, question: str, chunk: Chunk
) -> ApprovedAnswer:
    """Whoever asks this gets this passage, until the document no longer says it or is no longer valid."""
    text = chunk.text.strip()
    if len(text) > ANSWER_LENGTH:
        raise Invalid(_("This passage is too long to be pinned."))
    row = approved_answer_create(
        actor=actor,
        assistant=assistant,
        question=question,
        answer=text,
        valid_from=chunk.document.valid_from,
        valid_to=chunk.document.valid_to,
    )
    row.pinned_document = chunk.document
    row.save(update_fields=["pinned_document"])
    return row


def pinned_citation(document_id: UUID, text: str) -> Citation | None:
    """Where the live version says `text`, character by character; None when it does not, is not valid today, or
    the passage was switched off.
    """
    document: Document | None = (
        Document.objects.filter(
            id=document_id, deleted_at=None, knowledge_base__deleted_at__isnull=True
        )
        .select_related("live_version")
        .first()
    )
    version = document.live_version if document else None
    if document is None or version is None or not _is_valid(document):
        return None
    start = version.text.find(text)
    end = start + len(text)
    chunk = Chunk.objects.filter(
        version=version, start__lte=start, end__gte=end, is_enabled=True
    ).first()
    if start < 0 or chunk is None:
        return None
    page = next((p["number"] for p in version.pages if p["start"] <= start < p["end"]), chunk.page)
    return Citation(1, document.id, document.title, page, text, start, end, chunk.id)


def _is_valid(document: Document) -> bool:
    today = timezone.localdate()
    first, last = document.valid_from, document.valid_to
    return not (first and today < first) and not (last and last < today)
