"""Wishes that only a person may fulfil."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.support.models import Order, StaffRequest
from furrow.conversations.models import Conversation
from furrow.conversations.services import ticket_open
from furrow.core.errors import Conflict, Invalid
from furrow.tenants.services import Actor, audit

NOTE_LENGTH = 2000


@transaction.atomic
def request_open(
    *, order_id: UUID, kind: str, wish: str = "", conversation_id: UUID | None = None
) -> StaffRequest:
    """The open request of this kind for the order, made when there is none, and a ticket where there is a chat."""
    if kind not in StaffRequest.Kind.values:
        raise Invalid(_("This kind of request does not exist."), field="kind")
    order = Order.objects.select_for_update().get(id=order_id)
    request: StaffRequest | None = StaffRequest.objects.filter(
        order=order, kind=kind, state=StaffRequest.State.OPEN
    ).first()
    if request is None:
        request = StaffRequest.objects.create(
            order=order, kind=kind, wish=wish[:NOTE_LENGTH], conversation_id=conversation_id
        )
    elif wish and wish not in request.wish:
        request.wish = f"{request.wish}\n{wish}"[:NOTE_LENGTH]
        request.save(update_fields=["wish"])
    if conversation_id is not None:
        conversation = Conversation.objects.get(id=conversation_id)
        note = f"{request.get_kind_display()}: {order.number}"
        ticket_open(conversation=conversation, note=note, reason="order")
    return request


@transaction.atomic
def request_decide(
    *,
    actor: Actor,
    request: StaffRequest,
    is_done: bool,
    note: str = "",
    user_id: Any = None,
) -> StaffRequest:
    row: StaffRequest = StaffRequest.objects.select_for_update().get(id=request.id)
    if row.state != StaffRequest.State.OPEN:
        raise Conflict(_("This request is settled already."))
    row.state = StaffRequest.State.DONE if is_done else StaffRequest.State.DECLINED
    row.note, row.decided_at, row.decided_by_id = note[:NOTE_LENGTH], timezone.now(), user_id
    row.save(update_fields=["state", "note", "decided_at", "decided_by"])
    audit(actor, f"support.request_{row.state}", object_type="request", object_id=row.id)
    return row
