"""Channels over REST, under /api/v1/channels: a program of the business brings its users' messages and fetches answers."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Router, Schema
from pydantic import Field

from furrow.api.answers import Items
from furrow.api.operation import ApiRequest, no_content, operation
from furrow.api.schemas import Name, Strict
from furrow.assistants.selectors import assistant_get
from furrow.channels.models import Connection, OutboundMessage
from furrow.channels.outside import connections, rest
from furrow.channels.outside.intake import Arrived
from furrow.core.errors import Conflict

router = Router(tags=["channels"])
MOST_REPLIES = 200


class ChannelIn(Strict):
    """A channel of a program of yours; WeChat and mailboxes are set up in the dashboard, where their secrets belong."""

    name: Name
    assistant_id: UUID
    url: str = Field("", max_length=500)


class MessageIn(Strict):
    id: str = Field(min_length=1, max_length=200)
    user: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=2000)
    name: str = Field("", max_length=120)


class Channel(Schema):
    id: UUID
    kind: str
    name: str
    assistant_id: UUID
    is_enabled: bool
    url: str
    error: str
    created_at: Any


class ChannelWithSecret(Channel):
    secret: str
    inbound_path: str


class Taken(Schema):
    id: str
    turn_id: str | None
    is_new: bool


class Reply(Schema):
    id: str
    number: int
    user: str
    author: str
    text: str
    created_at: str


class Replies(Schema):
    items: list[Reply]
    last_number: int


@router.get("", response={200: Items[Channel]}, summary="List channels")
@operation("conversations:read")
def channel_list(request: ApiRequest) -> Any:
    return 200, {"items": [_channel(row) for row in connections.connections_list()]}


@router.post("", response={201: ChannelWithSecret}, summary="Add a channel for your own program")
@operation("webhooks:write")
def channel_create(request: ApiRequest, body: ChannelIn) -> Any:
    """The answer carries the secret that signs both directions."""
    row = connections.connection_create(
        actor=request.auth.actor,
        kind=Connection.Kind.REST,
        name=body.name,
        assistant=assistant_get(body.assistant_id),
        values=rest.values_checked({"url": body.url}),
        secrets={},
    )
    secret = connections.signing_secret(row)
    path = f"/channels/messages/{row.public_key}"
    return 201, {**_channel(row), "secret": secret, "inbound_path": path}


@router.delete("/{uuid:channel_id}", response={204: None}, summary="Remove a channel")
@operation("webhooks:write")
def channel_delete(request: ApiRequest, channel_id: UUID) -> HttpResponse:
    row = connections.connection_get(channel_id)
    connections.connection_delete(actor=request.auth.actor, connection=row)
    return no_content()


@router.post(
    "/{uuid:channel_id}/messages", response={202: Taken}, summary="Bring a message of a user"
)
@operation("conversations:write")
def message_create(request: ApiRequest, channel_id: UUID, body: MessageIn) -> Any:
    """The same `id` again is taken once."""
    row = _own_program(channel_id)
    if not row.is_enabled:
        raise Conflict("This channel is switched off.", code="switched_off")
    arrived = Arrived(external_id=body.id, writer=body.user, text=body.text, name=body.name)
    message, is_new = rest.rest_take(row, arrived)
    turn_id = str(message.turn_id) if message.turn_id else None
    return 202, {"id": message.external_id, "turn_id": turn_id, "is_new": is_new}


@router.get(
    "/{uuid:channel_id}/replies", response={200: Replies}, summary="Fetch answers after a number"
)
@operation("conversations:read")
def reply_list(
    request: ApiRequest, channel_id: UUID, after: int = 0, user: str = "", limit: int = 50
) -> Any:
    """In order, of everybody or of one `user`; ask again with `after` set to `last_number`."""
    row = _own_program(channel_id)
    rows = OutboundMessage.objects.filter(connection=row, number__gt=max(0, after))
    if user:
        rows = rows.filter(user__external_id=user)
    wanted = min(max(1, limit), MOST_REPLIES)
    found = list(rows.select_related("user").order_by("number")[:wanted])
    last = found[-1].number if found else max(0, after)
    return 200, {"items": [rest.reply_shown(each) for each in found], "last_number": last}


def _own_program(channel_id: UUID) -> Connection:
    row = connections.connection_get(channel_id)
    if row.kind != Connection.Kind.REST:
        raise Conflict("This channel is not one of your own program.", code="channel_kind")
    return row


def _channel(row: Connection) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "name": row.name,
        "assistant_id": row.assistant_id,
        "is_enabled": row.is_enabled,
        "url": row.settings.get("url", ""),
        "error": row.error_code,
        "created_at": row.created_at,
    }
