"""Reads of the inbox: who waits, for how long, and what was said. Inside `tenant_tx`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.utils import timezone

from furrow.conversations.models import Conversation, Draft, Message, Ticket, Turn
from furrow.conversations.selectors import turns_of
from furrow.conversations.signals import signals_of
from furrow.core.extensions import PanelLine, extensions

QUEUES = ("unassigned", "mine", "waiting", "all")
# Platforms judge whether a shop answers within three minutes.
WARN_AFTER = timedelta(minutes=2)
LATE_AFTER = timedelta(minutes=3)
_OPEN = ~Q(state=Conversation.State.CLOSED)
_UNASSIGNED = (
    Q(owner=None) & (Q(state=Conversation.State.WAITING) | Q(waiting_since__isnull=False)) & _OPEN
)
_WAITING = Q(waiting_since__isnull=False) & _OPEN
# All that a queue can hold, in the words of the index `conversation_live`: what nobody closes stays the assistant's for
# ever, and must not be looked at every three seconds.
_LIVE = Q(state__in=["waiting", "human"]) | Q(waiting_since__isnull=False)


def _queue(name: str, user_id: UUID) -> Q:
    return {
        "unassigned": _UNASSIGNED,
        "mine": Q(owner_id=user_id, state=Conversation.State.HUMAN),
        "waiting": _WAITING,
    }.get(name, Q())


def _talks() -> QuerySet[Any]:
    """What can be opened: no tests, and nothing of an assistant that is deleted."""
    rows: QuerySet[Any] = Conversation.objects.filter(is_test=False, assistant__deleted_at=None)
    return rows


def inbox_list(*, queue: str, user_id: UUID) -> QuerySet[Any]:
    """One query. Who waits stands first: the angry and urgent before the rest, then by how long; `all` has the
    latest first. Rows carry `last_text`, `last_rung`, `contact` and `has_draft`.
    """
    turns = Turn.objects.filter(conversation=OuterRef("pk")).order_by("-number")
    tickets = Ticket.objects.filter(conversation=OuterRef("pk")).order_by("-number")
    rows: QuerySet[Any] = (
        _talks()
        .filter(_queue(queue, user_id))
        .select_related("assistant", "owner")
        .annotate(
            last_text=Subquery(turns.values("text")[:1]),
            last_rung=Subquery(turns.values("rung")[:1]),
            contact=Subquery(tickets.values("contact")[:1]),
            has_draft=Exists(
                Draft.objects.filter(conversation=OuterRef("pk"), state=Draft.State.WAITING)
            ),
            rank=Case(
                When(Q(mood="angry") | Q(is_urgent=True), then=0),
                default=1,
                output_field=IntegerField(),
            ),
        )
    )
    if queue == "all":
        return rows.order_by("-last_turn_at", "-id")
    return rows.filter(_LIVE).order_by("rank", "waiting_since", "-last_turn_at", "id")


def inbox_counts(user_id: UUID) -> dict[str, int]:
    """One query; `all` is not counted, it only grows."""
    counts = {name: Count("id", filter=_queue(name, user_id)) for name in QUEUES if name != "all"}
    found: dict[str, int] = _talks().filter(_LIVE).aggregate(**counts)
    return found


@dataclass(frozen=True)
class Clock:
    """How long somebody has waited: `tone` is quiet, `warn` from two minutes and `late` from three."""

    seconds: int
    tone: str

    @property
    def text(self) -> str:
        minutes, seconds = divmod(self.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        if hours >= 24:
            return f"{hours // 24} d {hours % 24} h"
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def clock_of(since: datetime | None, *, now: datetime | None = None) -> Clock | None:
    if since is None:
        return None
    waited = max(timedelta(0), (now or timezone.now()) - since)
    tone = "late" if waited >= LATE_AFTER else "warn" if waited >= WARN_AFTER else "quiet"
    return Clock(int(waited.total_seconds()), tone)


@dataclass(frozen=True)
class Entry:
    """One thing said. `kind` is visitor, assistant, staff, note or draft; `row` the turn, message or draft."""

    kind: str
    row: Any


def timeline(conversation: Conversation) -> list[Entry]:
    """Both sides in the order they were said; three queries and one for feedback."""
    messages: dict[int, list[Message]] = {}
    rows = Message.objects.filter(conversation=conversation).select_related("author")
    for message in rows.order_by("number"):
        messages.setdefault(message.after_turn, []).append(message)
    drafts = {
        draft.turn_id: draft
        for draft in Draft.objects.filter(conversation=conversation, state=Draft.State.WAITING)
    }
    return [*_said(messages.get(0, [])), *_turned(turns_of(conversation), messages, drafts)]


def _turned(
    turns: Any, messages: dict[int, list[Message]], drafts: dict[UUID, Draft]
) -> Iterator[Entry]:
    for turn in turns:
        yield Entry("visitor", turn)
        if turn.rung != "person" or turn.status != Turn.Status.DONE:
            yield Entry("assistant", turn)
        if turn.id in drafts:
            yield Entry("draft", drafts[turn.id])
        yield from _said(messages.get(turn.number, []))


def _said(messages: list[Message]) -> Iterator[Entry]:
    for message in messages:
        yield Entry(message.kind, message)


def version_of(conversation: Conversation) -> str:
    """Changes whenever the page of a conversation would; two short queries."""
    turn = (
        Turn.objects.filter(conversation=conversation)
        .order_by("-number")
        .values_list("number", "status")
        .first()
    )
    message = (
        Message.objects.filter(conversation=conversation)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    drafts = Draft.objects.filter(conversation=conversation, state=Draft.State.WAITING).count()
    number, status = turn or (0, "")
    return f"{number}{status}-{message or 0}-{drafts}-{conversation.state}-{conversation.owner_id}"


@dataclass(frozen=True)
class Summary:
    """What a member wants to know before writing: gathered from the rows, written by nobody."""

    first: str
    latest: str
    topics: tuple[str, ...]
    questions: int
    unanswered: tuple[str, ...]
    contact: str
    note: str
    panels: tuple[PanelLine, ...]


UNANSWERED_SHOWN = 3


def summary_of(conversation: Conversation, *, slug: str) -> Summary:
    turns = list(
        Turn.objects.filter(conversation=conversation).order_by("number").values("text", "rung")
    )
    texts = [turn["text"] for turn in turns]
    topics = [signals_of(text).topic for text in texts]
    ticket = Ticket.objects.filter(conversation=conversation).order_by("-number").first()
    lines: list[PanelLine] = []
    for panel in extensions.inbox_panels.values():
        lines += panel(conversation.id, slug)
    return Summary(
        first=texts[0] if texts else "",
        latest=texts[-1] if len(texts) > 1 else "",
        topics=tuple(dict.fromkeys(topic for topic in topics if topic != "other")),
        questions=len(texts),
        unanswered=tuple(
            turn["text"] for turn in turns if turn["rung"] in {"human", "person", "held", ""}
        )[-UNANSWERED_SHOWN:],
        contact=ticket.contact if ticket else "",
        note=ticket.note if ticket else "",
        panels=tuple(lines),
    )
