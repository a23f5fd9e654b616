"""Reads of conversations, turns and tickets. All run inside `tenant_tx`; another tenant's id is not found."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from furrow.assistants.ladder import NO_USAGE, Exchange
from furrow.assistants.language import language_of
from furrow.assistants.phrases import phrase
from furrow.conversations.models import Conversation, Feedback, Ticket, Turn
from furrow.core.errors import NotFound

HISTORY_LENGTH = 6


def conversation_get(conversation_id: UUID) -> Conversation:
    conversation: Conversation | None = (
        Conversation.objects.filter(id=conversation_id, assistant__deleted_at=None)
        .select_related("assistant")
        .first()
    )
    if conversation is None:
        raise NotFound(_("This conversation does not exist."))
    return conversation


def conversations_list(
    *,
    query: str = "",
    state: str = "",
    channel: str = "",
    assistant_id: UUID | None = None,
    include_tests: bool = False,
) -> QuerySet[Any]:
    """Latest first in one query. Rows carry `turn_count`, `first_text`, `last_text`, `last_rung`, `likes`,
    `dislikes` and `has_open_ticket`.
    """
    rows: QuerySet[Any] = Conversation.objects.select_related("assistant")
    if not include_tests:
        rows = rows.filter(is_test=False)
    if state:
        rows = rows.filter(state=state)
    if channel:
        rows = rows.filter(channel=channel)
    if assistant_id is not None:
        rows = rows.filter(assistant_id=assistant_id)
    turns = Turn.objects.filter(conversation=OuterRef("pk"))
    if query:
        said = turns.filter(Q(text__icontains=query) | Q(answer__icontains=query))
        rows = rows.filter(Exists(said))
    rows = rows.annotate(
        turn_count=_count_of(turns),
        first_text=Subquery(turns.order_by("number").values("text")[:1]),
        last_text=Subquery(turns.order_by("-number").values("text")[:1]),
        last_rung=Subquery(turns.order_by("-number").values("rung")[:1]),
        likes=_count_of(turns.filter(feedback__value=1)),
        dislikes=_count_of(turns.filter(feedback__value=-1)),
        has_open_ticket=Exists(
            Ticket.objects.filter(conversation=OuterRef("pk"), state=Ticket.State.OPEN)
        ),
    )
    return rows.order_by("-last_turn_at", "-id")


def _count_of(turns: QuerySet[Any]) -> Any:
    grouped = turns.order_by().values("conversation").annotate(n=Count("id")).values("n")
    return Coalesce(Subquery(grouped), 0)


def turns_of(conversation: Conversation) -> QuerySet[Any]:
    """Every turn in order, each with `judgement`: its feedback, a list of none or one. Two queries."""
    feedback = Prefetch("feedback", queryset=Feedback.objects.all(), to_attr="judgement")
    rows: QuerySet[Any] = Turn.objects.filter(conversation=conversation)
    return rows.prefetch_related(feedback).order_by("number")


def turn_get(turn_id: UUID) -> Turn:
    turn: Turn | None = (
        Turn.objects.filter(id=turn_id, conversation__assistant__deleted_at=None)
        .select_related("conversation__assistant", "assistant_version")
        .first()
    )
    if turn is None:
        raise NotFound(_("This message does not exist."))
    return turn


def earlier_exchanges(turn: Turn, *, limit: int = HISTORY_LENGTH) -> tuple[Exchange, ...]:
    """What was said before it in its conversation, from old to new, as the ladder is told it."""
    earlier = Turn.objects.filter(
        conversation_id=turn.conversation_id, number__lt=turn.number, status=Turn.Status.DONE
    ).order_by("-number")[:limit]
    return tuple(Exchange(t.text, t.answer, t.rung) for t in reversed(earlier))


def turn_payload(turn: Turn) -> dict[str, Any]:
    """The answer as the REST contract words it, with the `status` beside it: `done`, or `queued` and `running`
    while there is none yet, or `failed` with `error`.
    """
    payload: dict[str, Any] = {
        "id": str(turn.id),
        "status": turn.status,
        "rung": turn.rung,
        "text": turn.answer,
        "citations": turn.citations,
        "suggestions": turn.suggestions,
        "usage": {**NO_USAGE, **turn.usage},
        "cost": {"amount": decimal_text(turn.cost_amount), "currency": turn.cost_currency},
    }
    if turn.status == Turn.Status.FAILED:
        payload["error"] = turn_error(turn)
    return payload


def turn_error(turn: Turn) -> dict[str, str]:
    """Why there is no answer: a code for a program, a sentence in the question's language for a person."""
    return {"code": turn.error_code, "message": phrase("failed", language_of(turn.text))}


def decimal_text(amount: Decimal) -> str:
    """Exact and short: `0`, `0.0125`; never an exponent."""
    return format(amount.normalize(), "f") if amount else "0"


def transcript(conversation: Conversation) -> list[dict[str, Any]]:
    """What was said, in order: `{"who": "visitor" or "assistant", "text", "at", "turn_id"}`."""
    lines: list[dict[str, Any]] = []
    for turn in Turn.objects.filter(conversation=conversation).order_by("number"):
        shared = {"turn_id": str(turn.id)}
        lines.append({"who": "visitor", "text": turn.text, "at": turn.created_at, **shared})
        if turn.status == Turn.Status.DONE:
            lines.append(
                {"who": "assistant", "text": turn.answer, "at": turn.finished_at, **shared}
            )
    return lines


def tickets_list(*, state: str = "", assistant_id: UUID | None = None) -> QuerySet[Any]:
    """Open ones first, then the latest; one query."""
    rows: QuerySet[Any] = Ticket.objects.select_related("conversation__assistant", "assigned_to")
    if state:
        rows = rows.filter(state=state)
    if assistant_id is not None:
        rows = rows.filter(conversation__assistant_id=assistant_id)
    turns = Turn.objects.filter(conversation=OuterRef("conversation"))
    rows = rows.annotate(last_text=Subquery(turns.order_by("-number").values("text")[:1]))
    return rows.order_by(F("closed_at").desc(nulls_first=True), "-created_at")


def ticket_get(ticket_id: UUID) -> Ticket:
    ticket: Ticket | None = (
        Ticket.objects.filter(id=ticket_id)
        .select_related("conversation__assistant", "assigned_to")
        .first()
    )
    if ticket is None:
        raise NotFound(_("This ticket does not exist."))
    return ticket
