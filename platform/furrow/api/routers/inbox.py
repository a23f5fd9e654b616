"""The inbox for programs: who waits, replies in a member's name, who has a conversation, hours and ready replies."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from ninja import Router

from furrow.accounts.models import User
from furrow.api import inbox_schemas as schemas
from furrow.api.answers import Items, Page
from furrow.api.operation import ApiRequest, operation
from furrow.api.pagination import page
from furrow.conversations import canned, csat, desk, inbox, replies
from furrow.conversations.feed import status_of
from furrow.conversations.models import CannedReply, Conversation, Message
from furrow.conversations.selectors import conversation_get
from furrow.conversations.service_cost import ServiceCost, service_cost
from furrow.conversations.service_report import Served, served
from furrow.core.errors import Invalid
from furrow.metering.money import amount_text
from furrow.metering.selectors import days_asked
from furrow.tenants import hours
from furrow.tenants.models import Membership
from furrow.tenants.services import Actor

router = Router(tags=["inbox"])
_SHOWN_DAYS = 30


@router.get("/inbox", response={200: Page[schemas.Waiting]}, summary="Who waits for a person")
@operation("conversations:read")
def inbox_list(
    request: ApiRequest, queue: str = "waiting", cursor: str = "", limit: int = 50
) -> Any:
    """`queue` is `waiting`, `unassigned` or `all`."""
    if queue not in {"waiting", "unassigned", "all"}:
        raise Invalid("The queue is waiting, unassigned or all.", field="queue")
    # Nobody's own queue: a key is no member.
    rows = inbox.inbox_list(queue=queue, user_id=UUID(int=0))
    return 200, page(rows, cursor=cursor, limit=limit, render=_waiting)


@router.get(
    "/conversations/{uuid:conversation_id}/replies",
    response={200: Page[schemas.Reply]},
    summary="What members wrote",
)
@operation("conversations:read")
def reply_list(
    request: ApiRequest, conversation_id: UUID, cursor: str = "", limit: int = 50
) -> Any:
    rows = Message.objects.filter(conversation=conversation_get(conversation_id))
    return 200, page(rows, cursor=cursor, limit=limit, render=_reply)


@router.post(
    "/conversations/{uuid:conversation_id}/replies",
    response={201: schemas.Reply},
    summary="Answer in a member's name, or keep a note",
)
@operation("conversations:write")
def reply_create(request: ApiRequest, conversation_id: UUID, body: schemas.ReplyIn) -> Any:
    conversation = conversation_get(conversation_id)
    given: dict[str, Any] = {
        "conversation": conversation,
        "text": body.text,
        "key": body.key,
    }
    member = _member(body.member)
    if body.is_note:
        return 201, _reply(replies.note_add(user=member, **given))
    return 201, _reply(replies.reply_send(user=member, actor=_actor(request), **given))


@router.put(
    "/conversations/{uuid:conversation_id}/owner",
    response={200: schemas.Status},
    summary="Give a conversation to a member",
)
@operation("conversations:write")
def owner_set(request: ApiRequest, conversation_id: UUID, body: schemas.OwnerIn) -> Any:
    conversation = conversation_get(conversation_id)
    desk.conversation_assign(
        actor=_actor(request),
        conversation=conversation,
        user=_member(body.member),
        is_forced=body.force,
    )
    return 200, status_of(conversation_get(conversation_id))


@router.delete(
    "/conversations/{uuid:conversation_id}/owner",
    response={200: schemas.Status},
    summary="Hand a conversation back to the assistant",
)
@operation("conversations:write")
def owner_clear(request: ApiRequest, conversation_id: UUID) -> Any:
    conversation = conversation_get(conversation_id)
    desk.conversation_hand_back(actor=_actor(request), conversation=conversation)
    return 200, status_of(conversation_get(conversation_id))


@router.post(
    "/conversations/{uuid:conversation_id}/closure",
    response={200: schemas.Status},
    summary="Close a conversation and ask how it was",
)
@operation("conversations:write")
def conversation_close(request: ApiRequest, conversation_id: UUID) -> Any:
    conversation = conversation_get(conversation_id)
    desk.conversation_end(actor=_actor(request), conversation=conversation)
    return 200, status_of(conversation_get(conversation_id))


@router.put(
    "/conversations/{uuid:conversation_id}/csat",
    response={200: schemas.CsatKept},
    summary="How the visitor felt",
)
@operation("conversations:write")
def csat_set(request: ApiRequest, conversation_id: UUID, body: schemas.CsatIn) -> Any:
    row = csat.csat_set(
        conversation=conversation_get(conversation_id), score=body.score, comment=body.comment
    )
    return 200, {"score": row.score, "comment": row.comment}


@router.get("/canned-replies", response={200: Items[schemas.Canned]}, summary="List ready replies")
@operation("conversations:read")
def canned_list(request: ApiRequest) -> Any:
    return 200, {"items": [_canned(row) for row in canned.canned_list()]}


@router.post("/canned-replies", response={201: schemas.Canned}, summary="Add a ready reply")
@operation("conversations:write")
def canned_create(request: ApiRequest, body: schemas.CannedIn) -> Any:
    row = canned.canned_save(actor=_actor(request), **body.model_dump())
    return 201, _canned(row)


@router.delete(
    "/canned-replies/{uuid:canned_id}", response={204: None}, summary="Remove a ready reply"
)
@operation("conversations:write")
def canned_delete(request: ApiRequest, canned_id: UUID) -> Any:
    canned.canned_remove(actor=_actor(request), canned=canned.canned_get(canned_id))
    return 204, None


@router.get("/opening-hours", response={200: schemas.Hours}, summary="When people answer")
@operation("conversations:read")
def hours_read(request: ApiRequest) -> Any:
    return 200, _hours()


@router.put("/opening-hours", response={200: schemas.Hours}, summary="Set when people answer")
@operation("conversations:write")
def hours_set(request: ApiRequest, body: schemas.HoursIn) -> Any:
    """Seasons are set in the dashboard."""
    hours.hours_set(actor=_actor(request), weekly=body.weekly, zone=body.zone)
    return 200, _hours()


@router.get("/reports/service", response={200: schemas.Served}, summary="How visitors were served")
@operation("conversations:read")
def service_report(
    request: ApiRequest, since: date | None = None, until: date | None = None
) -> Any:
    """Both days included, a year at most; the last 30 days unless told."""
    return 200, asdict(served(*days_asked(since, until, days=_SHOWN_DAYS)))


@router.get(
    "/reports/service-cost",
    response={200: schemas.ServiceCost},
    summary="What serving visitors cost, each part, beside people alone",
)
@operation("usage:read")
def service_cost_report(
    request: ApiRequest, since: date | None = None, until: date | None = None
) -> Any:
    """The same days and conversations as the report of service."""
    days = days_asked(since, until, days=_SHOWN_DAYS)
    found = served(*days)
    return 200, _cost(found, service_cost(found, *days))


def _cost(found: Served, cost: ServiceCost) -> dict[str, Any]:
    parts = {"assistant": cost.assistant, "people": cost.people, "together": cost.together}
    return {
        "currency": cost.currency,
        "conversations": found.conversations,
        "resolved": cost.resolved,
        "confirmed": cost.confirmed,
        "tokens": found.tokens,
        "machine_s": found.machine_ms / 1000,
        "human_s": found.human_s,
        "people_only": amount_text(cost.people_only),
        "saved_share": cost.saved_share,
        "wage_per_hour": amount_text(cost.wage_per_hour),
        "minutes_per_chat": f"{cost.minutes_per_chat:f}",
        **{name: amount_text(amount) for name, amount in parts.items()},
        "each_resolved": {name: _each(cost.each_resolved(a)) for name, a in parts.items()},
        "each_confirmed": {name: _each(cost.each_confirmed(a)) for name, a in parts.items()},
    }


def _each(amount: Decimal | None) -> str | None:
    return None if amount is None else amount_text(amount)


def _member(email: str) -> User:
    """A member of the key's business who may answer; an unknown address and a mere reader are refused alike."""
    found: Membership | None = (
        Membership.objects.filter(user__email__iexact=email.strip()).select_related("user").first()
    )
    return desk.member_may_answer(found.user_id if found else UUID(int=0)).user


def _actor(request: ApiRequest) -> Actor:
    return Actor.api_key(request.auth.key)


def _waiting(row: Conversation) -> dict[str, Any]:
    return {
        "id": row.id,
        "assistant_id": row.assistant_id,
        "channel": row.channel,
        "state": row.state,
        "owner": row.owner.email if row.owner else None,
        "waiting_since": row.waiting_since,
        "topic": row.topic,
        "mood": row.mood,
        "is_urgent": row.is_urgent,
        "last_text": row.last_text,  # type: ignore[attr-defined]
        "created_at": row.created_at,
    }


def _reply(row: Message) -> dict[str, Any]:
    return {
        "id": row.id,
        "number": row.number,
        "after_turn": row.after_turn,
        "is_note": row.kind == Message.Kind.NOTE,
        "name": row.author_name,
        "text": row.text,
        "created_at": row.created_at,
    }


def _canned(row: CannedReply) -> dict[str, Any]:
    return {"id": row.id, "title": row.title, "text_zh": row.text_zh, "text_en": row.text_en}


def _hours() -> dict[str, Any]:
    known = hours.hours_read()
    seasons = [
        {
            "name": season.name,
            "starts_on": season.starts_on,
            "ends_on": season.ends_on,
            "is_yearly": season.is_yearly,
            "hours": season.span,
        }
        for season in known.seasons
    ]
    return {"zone": known.zone, "weekly": known.weekly, "seasons": seasons}
