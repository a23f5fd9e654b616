"""What goes back over a channel: found in committed rows, written once, sent in order, within what is allowed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import CharField, Exists, F, Max, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone

from furrow.assistants.phrases import phrase
from furrow.channels.models import Connection, InboundMessage, OutboundMessage, OutsideUser
from furrow.channels.outside.connections import connection_noted, connection_on_duty
from furrow.conversations.models import Message, Turn
from furrow.conversations.services import PERSON_RUNG
from furrow.core.context import tenant_tx, unscoped
from furrow.core.errors import AppError, UpstreamFailed
from furrow.core.extensions import JobRun
from furrow.core.jobs import job_enqueue

SEND_JOB = "channel.send"
LANE = "notify"
RETRY_DELAYS = tuple(timedelta(seconds=s) for s in (5, 30, 300, 1800, 7200, 28800))
ATTEMPTS = len(RETRY_DELAYS) + 1
# What is older than that is no news; it also keeps the search short.
FRESH = timedelta(days=3)
LIMIT = 500
State = OutboundMessage.State
_CHANNELS = tuple(Connection.Kind.values)
_FINISHED = (Turn.Status.DONE, Turn.Status.FAILED)


class Held(Exception):
    """The other side must not be written to now; the next message of the customer opens it again."""


# How each kind sends one message: (connection, message) -> the other side's id. Raises `Held`, `UpstreamFailed`.
Sender = Callable[[Connection, OutboundMessage], str]
SENDERS: dict[str, Sender] = {}


def replies_collect() -> int:
    """Writes what is due for every tenant and queues its sending; how many messages. Also queues what was left."""
    found = [("turn", *row) for row in _turns_due()] + [("staff", *row) for row in _words_due()]
    made = sum(_write(kind, tenant_id, row_id) for kind, tenant_id, row_id in found)
    for tenant_id, user_id in _left_waiting():
        with tenant_tx(tenant_id):
            _enqueue(user_id)
    return made


def _turns_due() -> list[tuple[UUID, UUID]]:
    with unscoped("find answers that are due over channels outside"):
        return list(
            InboundMessage.objects.filter(
                is_open=True,
                created_at__gt=timezone.now() - FRESH,
                turn__status__in=_FINISHED,
            )
            .order_by("created_at")
            .values_list("tenant_id", "id")[:LIMIT]
        )


def _words_due() -> list[tuple[UUID, UUID]]:
    with unscoped("find words of members that are due over channels outside"):
        source = Concat(Value("staff:"), Cast(OuterRef("id"), CharField()))
        told = OutboundMessage.objects.filter(tenant=OuterRef("tenant"), source=source)
        return list(
            Message.objects.filter(
                ~Exists(told),
                created_at__gt=timezone.now() - FRESH,
                kind=Message.Kind.STAFF,
                conversation__channel__in=_CHANNELS,
            )
            .order_by("created_at")
            .values_list("tenant_id", "id")[:LIMIT]
        )


def _left_waiting() -> set[tuple[UUID, UUID]]:
    with unscoped("find messages over channels outside that wait without a job"):
        rows = OutboundMessage.objects.filter(
            state=State.WAITING,
            attempts=0,
            created_at__range=(timezone.now() - FRESH, timezone.now() - timedelta(seconds=5)),
        )
        return set(rows.values_list("tenant_id", "user_id")[:LIMIT])


def _write(kind: str, tenant_id: UUID, row_id: UUID) -> int:
    with tenant_tx(tenant_id):
        inbound, source, author, text = _turn(row_id) if kind == "turn" else _words(row_id)
        if kind == "turn":
            InboundMessage.objects.filter(id=row_id).update(is_open=False)
        if inbound is None or not text:
            return 0
        # The connection is locked, so that numbers have no holes and no doubles.
        Connection.objects.select_for_update(no_key=True).get(id=inbound.connection_id)
        last = OutboundMessage.objects.filter(connection_id=inbound.connection_id)
        number = (last.aggregate(n=Max("number"))["n"] or 0) + 1
        _row, is_new = OutboundMessage.objects.get_or_create(
            source=source,
            defaults={
                "connection_id": inbound.connection_id,
                "user_id": inbound.user_id,
                "number": number,
                "author": author,
                "text": text,
                "context": inbound.context,
            },
        )
        if is_new:
            _enqueue(inbound.user_id)
        return int(is_new)


def _turn(inbound_id: UUID) -> tuple[InboundMessage | None, str, str, str]:
    inbound = InboundMessage.objects.select_related("turn__conversation").get(id=inbound_id)
    turn = inbound.turn
    if turn.rung == PERSON_RUNG:
        # A member answers in words of their own, which are found for themselves.
        return None, "", "", ""
    text = turn.answer or phrase("failed", turn.conversation.language or "zh")
    return inbound, f"turn:{turn.id}", "assistant", plain_answer(text, turn.citations)


def _words(message_id: UUID) -> tuple[InboundMessage | None, str, str, str]:
    message = Message.objects.get(id=message_id)
    rows = InboundMessage.objects.filter(turn__conversation_id=message.conversation_id)
    inbound: InboundMessage | None = rows.order_by("-created_at").first()
    return inbound, f"staff:{message.id}", "staff", message.text


def plain_answer(text: str, citations: list[dict[str, Any]]) -> str:
    """An answer where nothing can be pressed: marks stay, and below stands what they mean."""
    titles = dict.fromkeys(
        f"[{each['n']}] {each['title']}" for each in citations if f"[{each['n']}]" in text
    )
    return "\n\n".join([text, "\n".join(titles)]) if titles else text


def _enqueue(user_id: UUID) -> None:
    job_enqueue(kind=SEND_JOB, subject_id=user_id, lane=LANE, max_attempts=ATTEMPTS)


def held_release(user: OutsideUser) -> None:
    """The customer wrote again: what was held may go out now."""
    rows = OutboundMessage.objects.filter(user=user, state=State.HELD)
    if rows.update(state=State.WAITING, attempts=0, error_code=""):
        _enqueue(user.id)


def outbound_resend(message: OutboundMessage) -> None:
    OutboundMessage.objects.filter(id=message.id, state__in=[State.FAILED, State.HELD]).update(
        state=State.WAITING, attempts=0, error_code=""
    )
    _enqueue(message.user_id)


class SendHandler:
    """Sends everything that waits for one user, in order: one job a user, so none overtakes another. A worker that
    dies between sending and noting it sends twice; where the other side knows ids, it drops the repetition.
    """

    retry_delays = RETRY_DELAYS

    def run(self, job: JobRun) -> None:
        while True:
            with tenant_tx(job.tenant_id):
                message, connection = self._next(job.subject_id)
            if message is None:
                return
            job.renew()
            self._send(job.tenant_id, message, connection)

    def _send(
        self, tenant_id: UUID, message: OutboundMessage, connection: Connection | None
    ) -> None:
        if connection is None:
            _settle(tenant_id, message, State.FAILED, error_code="switched_off")
            return
        try:
            external_id = SENDERS[connection.kind](connection, message)
        except Held:
            _settle(tenant_id, message, State.HELD, error_code="out_of_budget")
        except AppError as error:
            is_passing = isinstance(error, UpstreamFailed) and not error.permanent
            state = State.WAITING if is_passing else State.FAILED
            _settle(tenant_id, message, state, error_code=error.code)
            if is_passing:
                raise
        else:
            _settle(tenant_id, message, State.SENT, external_id=external_id)

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        OutboundMessage.objects.filter(user_id=subject_id, state=State.WAITING).update(
            state=State.FAILED, error_code=code
        )

    def _next(self, user_id: UUID) -> tuple[OutboundMessage | None, Connection | None]:
        message: OutboundMessage | None = (
            OutboundMessage.objects.filter(user_id=user_id, state=State.WAITING)
            .select_related("user")
            .order_by("number")
            .first()
        )
        connection = connection_on_duty(message.connection_id) if message else None
        return message, connection


def _settle(
    tenant_id: UUID,
    message: OutboundMessage,
    state: str,
    *,
    error_code: str = "",
    external_id: str = "",
) -> None:
    with tenant_tx(tenant_id):
        OutboundMessage.objects.filter(id=message.id).update(
            state=state,
            error_code=error_code,
            external_id=external_id[:250],
            attempts=F("attempts") + 1,
            sent_at=timezone.now() if state == State.SENT else None,
        )
        if state != State.HELD:
            connection_noted(message.connection_id, error_code=error_code)
