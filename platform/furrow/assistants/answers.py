"""Writes on approved answers; `furrow.assistants.services` is where others find them."""

import re
from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from furrow.assistants.models import ApprovedAnswer, Assistant
from furrow.core.errors import Invalid
from furrow.knowledge.text.folding import fold
from furrow.tenants.services import Actor, audit

QUESTION_LENGTH = 500
ANSWER_LENGTH = 4000
MAX_VARIANTS = 50
_FIELDS = frozenset({"question", "variants", "answer", "valid_from", "valid_to", "is_enabled"})
_NOT_WORD = re.compile(r"[\W_]+")


@transaction.atomic
def approved_answer_create(
    *,
    actor: Actor,
    assistant: Assistant,
    question: str,
    answer: str,
    variants: list[str] | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> ApprovedAnswer:
    """In force at once, for the draft and the published version alike."""
    checked = _checked(
        {
            "question": question,
            "answer": answer,
            "variants": variants or [],
            "valid_from": valid_from,
            "valid_to": valid_to,
        }
    )
    row: ApprovedAnswer = ApprovedAnswer.objects.create(assistant=assistant, **checked)
    _audit(actor, "approved_answer.created", row)
    return row


@transaction.atomic
def approved_answer_update(
    *, actor: Actor, approved_answer: ApprovedAnswer, **fields: Any
) -> ApprovedAnswer:
    if unknown := sorted(set(fields) - _FIELDS):
        raise Invalid(_("An approved answer has no such field."), fields=unknown)
    dates = {name: getattr(approved_answer, name) for name in ("valid_from", "valid_to")}
    checked = _checked({**dates, **fields})
    for name, value in checked.items():
        setattr(approved_answer, name, value)
    approved_answer.save(update_fields=[*checked, "updated_at"])
    _audit(actor, "approved_answer.updated", approved_answer)
    return approved_answer


@transaction.atomic
def approved_answer_delete(*, actor: Actor, approved_answer: ApprovedAnswer) -> None:
    _audit(actor, "approved_answer.deleted", approved_answer)
    approved_answer.delete()


def gap_key(question: str) -> str:
    """What makes two unanswered questions the same one: their letters, folded."""
    return _NOT_WORD.sub("", fold(question))[:QUESTION_LENGTH]


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    checked = dict(fields)
    if "question" in fields:
        checked["question"] = _text(fields["question"], QUESTION_LENGTH, "question")
    if "answer" in fields:
        checked["answer"] = _text(fields["answer"], ANSWER_LENGTH, "answer")
    if "variants" in fields:
        variants = dict.fromkeys(text.strip() for text in fields["variants"] if text.strip())
        if len(variants) > MAX_VARIANTS:
            raise Invalid(
                _("Up to %(count)s other wordings are kept.") % {"count": MAX_VARIANTS},
                field="variants",
            )
        checked["variants"] = [_text(text, QUESTION_LENGTH, "variants") for text in variants]
    first, last = fields.get("valid_from"), fields.get("valid_to")
    if first and last and last < first:
        raise Invalid(_("The last day lies before the first."), field="valid_to")
    return checked


def _text(text: str, cap: int, field: str) -> str:
    text = text.strip()
    if not gap_key(text) or len(text) > cap:
        raise Invalid(
            _("This must be a text of up to %(count)s characters.") % {"count": cap}, field=field
        )
    return text


def _audit(actor: Actor, action: str, row: ApprovedAnswer) -> None:
    audit(
        actor,
        action,
        object_type="approved_answer",
        object_id=row.id,
        assistant=str(row.assistant_id),
    )
