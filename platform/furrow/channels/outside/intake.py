"""A message from outside becomes a question, once, in its writer's conversation. Inside `tenant_tx`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from furrow.assistants.language import language_of
from furrow.channels.models import Connection, InboundMessage, OutsideUser
from furrow.channels.photos import photo_keep, photo_read, photos_attach
from furrow.conversations.models import Conversation
from furrow.conversations.services import TEXT_LENGTH, conversation_create, turn_create
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError, Invalid, LimitReached, UpstreamFailed
from furrow.core.keys import tenant_key
from furrow.core.logs import get_logger
from furrow.core.rates import rate_check
from furrow.knowledge.parsing.apart import CleanPhoto

log = get_logger(__name__)

MESSAGES_PER_MINUTE, MESSAGES_PER_DAY = 20, 500
MOMENT_S = 10
PHOTO_ONLY = "（照片）"
ID_LENGTH, NAME_LENGTH = 200, 120


@dataclass(frozen=True)
class Arrived:
    """`external_id` is the other side's id of the message; `thread` separates conversations of one writer. `photos` were
    read already: see `photos_read`.
    """

    external_id: str
    writer: str
    text: str
    name: str = ""
    thread: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    photos: Sequence[CleanPhoto] = ()


@transaction.atomic
def message_take(*, connection: Connection, arrived: Arrived) -> InboundMessage | None:
    """The stored message; None for one that was taken before. A conversation that a member has goes to the member."""
    text = arrived.text.replace("\x00", "").strip()[:TEXT_LENGTH]
    writer, external_id = arrived.writer.strip(), arrived.external_id.strip()
    if not writer or len(writer) > ID_LENGTH or not external_id or len(external_id) > 250:
        raise Invalid("The message names no writer or has no id.", field="user")
    if not text and not arrived.photos:
        raise Invalid("The message is empty.", code="text_empty", field="text")
    user = _user_ensure(connection, writer, arrived.name)
    message, is_new = InboundMessage.objects.get_or_create(
        connection=connection,
        external_id=external_id,
        defaults={"user": user, "context": {**arrived.context, "thread": arrived.thread}},
    )
    if not is_new:
        return None
    _count(connection, user.id)
    conversation = _conversation_of(user, arrived.thread) or conversation_create(
        assistant=connection.assistant,
        channel=connection.kind,
        visitor_id=str(user.id),
        language=language_of(text),
    )
    photos = [photo_keep(conversation=conversation, clean=each) for each in arrived.photos]
    turn = turn_create(conversation=conversation, text=text or PHOTO_ONLY)
    photos_attach(turn, photos)
    message.turn = turn
    message.save(update_fields=["turn"])
    OutsideUser.objects.filter(id=user.id).update(last_inbound_at=timezone.now())
    taken: InboundMessage = message
    return taken


def taken_or_left(
    *, connection: Connection, arrived: Arrived, before: Callable[[], None] | None = None
) -> InboundMessage | None:
    """As `message_take`, in a transaction of its own, for readers of a list: one message that cannot be taken must not
    stop those behind it. Raises `UpstreamFailed` when it may be taken in a moment.
    """
    try:
        with tenant_tx(connection.tenant_id):
            if before is not None:
                before()
            return message_take(connection=connection, arrived=arrived)
    except LimitReached as error:
        if int(error.details.get("retry_after_s") or MOMENT_S + 1) <= MOMENT_S:
            raise UpstreamFailed("Too many questions wait for an answer.", code="busy") from None
        log.info("message_left", connection=str(connection.id), code=error.code)
    except AppError as error:
        log.info("message_left", connection=str(connection.id), code=error.code)
    return None


def photos_read(connection: Connection, photos: Sequence[bytes]) -> list[CleanPhoto]:
    """What is no photo is left out: the words that came with it still count. Outside any transaction."""
    read = []
    for data in photos:
        try:
            read.append(photo_read(data))
        except AppError as error:
            log.info("photo_refused", connection=str(connection.id), code=error.code)
    return read


def _user_ensure(connection: Connection, writer: str, name: str) -> OutsideUser:
    """Locked, so that two messages at once begin one conversation and not two."""
    name = " ".join(name.split())[:NAME_LENGTH]
    user: OutsideUser = OutsideUser.objects.get_or_create(
        connection=connection, external_id=writer, defaults={"name": name}
    )[0]
    user = OutsideUser.objects.select_for_update(no_key=True).get(id=user.id)
    if name and user.name != name:
        user.name = name
        user.save(update_fields=["name"])
    return user


def _conversation_of(user: OutsideUser, thread: str) -> Conversation | None:
    rows = InboundMessage.objects.filter(user=user, context__thread=thread).exclude(turn=None)
    latest = rows.select_related("turn__conversation__assistant").order_by("-created_at").first()
    if latest is None or latest.turn.conversation.state == Conversation.State.CLOSED:
        return None
    found: Conversation = latest.turn.conversation
    return found


def _count(connection: Connection, user_id: UUID) -> None:
    for rate in (f"{MESSAGES_PER_MINUTE}/minute", f"{MESSAGES_PER_DAY}/day"):
        key = tenant_key(connection.tenant_id, "outside", user_id)
        rate_check(rate, key, message="Too many messages from this user.")
