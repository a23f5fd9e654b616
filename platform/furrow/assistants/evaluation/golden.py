"""Writes on golden questions, inside `tenant_tx`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from furrow.assistants.answers import gap_key
from furrow.assistants.evaluation.canonical import tokens_of
from furrow.assistants.evaluation.judging import Said, outcome_of
from furrow.assistants.evaluation.models import GoldenQuestion
from furrow.assistants.ladder import Exchange
from furrow.assistants.models import Assistant
from furrow.core.errors import Conflict, Invalid, LimitReached
from furrow.knowledge.models import Document
from furrow.tenants.services import Actor, audit

QUESTION_LENGTH = 500
FACT_LENGTH = 200
MAX_FACTS = 20
MAX_QUESTIONS = 500
Expects = GoldenQuestion.Expects
_FIELDS = frozenset(
    {
        "question",
        "expects",
        "facts",
        "forbidden",
        "document_id",
        "page",
        "rung",
        "note",
        "is_enabled",
    }
)


@transaction.atomic
def golden_create(
    *,
    actor: Actor,
    assistant: Assistant,
    question: str,
    origin: str = GoldenQuestion.Origin.WRITTEN,
    history: Sequence[Exchange] = (),
    **expected: Any,
) -> GoldenQuestion:
    """`expected` may hold `expects`, `facts`, `forbidden`, `document_id`, `page`, `rung`, `note`. A question that is
    already there, in other punctuation or width, is a `Conflict`.
    """
    row = GoldenQuestion(assistant=assistant, origin=origin, history=_history_json(history))
    _apply(row, {"question": question, **expected})
    present = GoldenQuestion.objects.filter(assistant=assistant).count()
    if present >= MAX_QUESTIONS:
        raise LimitReached(
            _("An assistant can have up to %(count)s golden questions.") % {"count": MAX_QUESTIONS}
        )
    _saved(row)
    _audit(actor, "golden_question.created", row)
    return row


@transaction.atomic
def golden_update(*, actor: Actor, golden: GoldenQuestion, **fields: Any) -> GoldenQuestion:
    _apply(golden, fields)
    _saved(golden)
    _audit(actor, "golden_question.updated", golden)
    return golden


@transaction.atomic
def golden_delete(*, actor: Actor, golden: GoldenQuestion) -> None:
    """Its results stay: they are what was asked then."""
    _audit(actor, "golden_question.deleted", golden)
    golden.delete()


@transaction.atomic
def golden_take(
    *,
    actor: Actor,
    assistant: Assistant,
    question: str,
    said: Said,
    history: Sequence[Exchange] = (),
    expects: str = "",
) -> GoldenQuestion:
    """One click on an answer. A good answer is expected again: its document and page, or its rung. With `expects`
    the owner says what it should have been instead. One that is already there is given back as it is.
    """
    present: GoldenQuestion | None = GoldenQuestion.objects.filter(
        assistant=assistant, folded=gap_key(question)
    ).first()
    if present is not None:
        return present
    expected = {"expects": expects} if expects else expected_again(said)
    return golden_create(
        actor=actor,
        assistant=assistant,
        question=question[:QUESTION_LENGTH],
        origin=GoldenQuestion.Origin.CHAT,
        history=history,
        **expected,
    )


def expected_again(said: Said) -> dict[str, Any]:
    """What a judge could hold a repetition of this answer to."""
    expected: dict[str, Any] = {"expects": outcome_of(said)}
    first = next(iter(said.citations), None)
    if first is not None:
        expected |= {"document_id": UUID(str(first["document_id"])), "page": first.get("page")}
    elif expected["expects"] == Expects.ANSWER:
        expected["rung"] = said.rung
    return expected


def _apply(row: GoldenQuestion, fields: Mapping[str, Any]) -> None:
    if unknown := sorted(set(fields) - _FIELDS):
        raise Invalid(_("A golden question has no such field."), fields=unknown)
    for name, value in fields.items():
        setattr(row, name, value)
    row.question = _text(row.question, QUESTION_LENGTH, "question")
    row.folded = gap_key(row.question)
    if row.expects not in Expects.values:
        raise Invalid(_("This kind of answer does not exist."), field="expects")
    row.facts = facts_checked(row.facts)
    row.forbidden = [_text(text, FACT_LENGTH, "forbidden") for text in row.forbidden]
    row.rung = row.rung.strip()
    if row.rung and (not row.rung.isidentifier() or len(row.rung) > 40):
        raise Invalid(_("This step of the ladder does not exist."), field="rung")
    row.note = row.note.strip()[:300]
    _document_check(row)
    if row.expects != Expects.ANSWER and (row.facts or row.document_id or row.rung):
        raise Invalid(
            _("Facts, a document or a step can be expected of an answer only."), field="expects"
        )


def facts_checked(facts: Sequence[Sequence[str]]) -> list[list[str]]:
    if len(facts) > MAX_FACTS:
        raise Invalid(
            _("A question can have up to %(count)s facts.") % {"count": MAX_FACTS}, field="facts"
        )
    return [[_text(text, FACT_LENGTH, "facts") for text in wordings] for wordings in facts]


def _text(text: str, cap: int, field: str) -> str:
    text = text.replace("\x00", "").strip()
    # Without letters or digits it would be found nowhere.
    if len(text) > cap or not gap_key(text) or not tokens_of(text):
        raise Invalid(
            _("This must be a text of up to %(count)s characters.") % {"count": cap}, field=field
        )
    return text


def _document_check(row: GoldenQuestion) -> None:
    if row.document_id is None:
        row.page = None
        return
    if not Document.objects.filter(id=row.document_id, deleted_at=None).exists():
        raise Invalid(_("This document does not exist."), field="document_id")


def _saved(row: GoldenQuestion) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict(
            _("This question is already in the set."), code="golden_exists", field="question"
        ) from None


def _history_json(history: Sequence[Exchange]) -> list[dict[str, str]]:
    return [
        {"question": turn.question, "answer": turn.answer, "rung": turn.rung} for turn in history
    ]


def _audit(actor: Actor, action: str, row: GoldenQuestion) -> None:
    audit(
        actor,
        action,
        object_type="golden_question",
        object_id=row.id,
        assistant=str(row.assistant_id),
    )
