"""Writes on the questions that passages are known to answer, inside `tenant_tx`."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.knowledge.known_questions import passage_hash
from furrow.knowledge.models import Chunk, KnownQuestion
from furrow.knowledge.words import section_of
from furrow.tenants.services import Actor, audit

MAX_TEXT = 500


@transaction.atomic
def known_question_add(
    *, actor: Actor, chunk: Chunk, text: str, source: str = KnownQuestion.Source.OWNER
) -> KnownQuestion:
    """Says that the passage answers the question; searches for questions like it follow at once. Adding it again
    changes nothing.
    """
    text = " ".join(text.split())
    if not text:
        raise Invalid(_("Write the question that this passage answers."), field="text")
    if len(text) > MAX_TEXT:
        raise Invalid(_("This question is too long."), field="text")
    if chunk.document.live_version_id != chunk.version_id:
        raise Conflict(_("This passage is no longer part of its document."))
    question, is_new = KnownQuestion.objects.get_or_create(
        document_id=chunk.document_id,
        sha256=passage_hash(chunk.text),
        text=text,
        tenant_id=chunk.tenant_id,
        defaults={
            "knowledge_base_id": chunk.knowledge_base_id,
            "chunk": chunk,
            "section": section_of(chunk.heading_path),
            "source": source,
        },
    )
    if is_new:
        audit(actor, "known_question.created", object_type="known_question", object_id=question.id)
    return question  # type: ignore[no-any-return]


@transaction.atomic
def known_question_delete(*, actor: Actor, question: KnownQuestion) -> None:
    question_id = question.id
    question.delete()
    audit(actor, "known_question.deleted", object_type="known_question", object_id=question_id)


def known_question_get(question_id: UUID) -> KnownQuestion:
    question = KnownQuestion.objects.filter(id=question_id).select_related("document").first()
    if question is None:
        raise NotFound(_("This question does not exist."))
    return question  # type: ignore[no-any-return]
