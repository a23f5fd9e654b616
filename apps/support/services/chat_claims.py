"""A claim that begins in a chat: opened once, its photos copied, what is said later added. People decide on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.support.claiming.photos import photo_of_chat
from apps.support.models import Claim, Order, Sku
from apps.support.selectors import claim_of_chat, photos_unclaimed
from apps.support.services import claims
from furrow.conversations.models import Conversation
from furrow.conversations.tickets import ticket_open
from furrow.core.errors import Conflict
from furrow.knowledge.storage import file_path
from furrow.tenants.services import SYSTEM, Actor, audit

TICKET_REASON = "claim"


@dataclass(frozen=True)
class Report:
    """What a visitor wrote, as far as rules could read it; `order_id` only where number and phone digits agreed."""

    reason: str
    facts: Mapping[str, int]
    order_id: UUID | None
    language: str


@transaction.atomic
def claim_from_chat(*, conversation_id: UUID, report: Report) -> Claim:
    """The chat's open claim with what is new, or a new one, and the conversation in the queue of people."""
    conversation = Conversation.objects.get(id=conversation_id)
    order = Order.objects.filter(id=report.order_id).first() if report.order_id else None
    claim = claim_of_chat(conversation_id)
    if claim is None:
        claim = claims.claim_open(
            actor=SYSTEM,
            reason=report.reason,
            order=order,
            sku=_only_goods(order),
            facts=report.facts,
            language=report.language,
        )
        claims.claim_link(claim=claim, conversation=conversation)
    else:
        _more_known(claim, report, order)
    photos_take(actor=SYSTEM, claim=claim)
    note = _("Claim %(number)s: opened from the chat, look at the photos.") % {
        "number": claim.number
    }
    ticket_open(conversation=conversation, note=note, reason=TICKET_REASON)
    return claim


def _more_known(claim: Claim, report: Report, order: Order | None) -> None:
    """What staff have entered is not overwritten by what a visitor says later."""
    if order is not None and claim.order_id is None:
        claim_order_set(actor=SYSTEM, claim=claim, order=order)
    fresh = {name: value for name, value in report.facts.items() if name not in claim.facts}
    if fresh:
        claims.claim_update(actor=SYSTEM, claim=claim, facts=fresh)


@transaction.atomic
def claim_order_set(*, actor: Actor, claim: Claim, order: Order) -> Claim:
    """Names the order of a claim that had none; what the order knows is filled in."""
    Order.objects.select_for_update(no_key=True).get(id=order.id)
    row = Claim.objects.select_for_update(of=("self",)).get(id=claim.id)
    if not row.is_open or row.order_id is not None:
        raise Conflict(_("This claim has an order already, or is decided."))
    row.order, row.sku = order, row.sku or _only_goods(order)
    row.save(update_fields=["order", "sku"])
    claims.claim_known_fill(row)
    audit(actor, "support.claim_updated", object_type="claim", object_id=row.id, facts=["order"])
    return claims.claim_reckon(claim=row)


def photos_take(*, actor: Actor, claim: Claim) -> int:
    """Copies the chat's photos that no claim has yet; how many. What each shows is for people to say."""
    if claim.conversation_id is None:
        return 0
    taken = 0
    for photo in photos_unclaimed(claim.conversation_id):
        taken += claims.photo_copy(
            actor=actor,
            claim=claim,
            photo=photo_of_chat(photo),
            data=file_path(photo.file_key).read_bytes(),
            chat_photo_id=photo.id,
        )
    return taken


def _only_goods(order: Any) -> Sku | None:
    """Of an order with one line; which of several is meant, staff say."""
    lines = list(order.lines.select_related("sku")) if order is not None else []
    goods: Sku | None = lines[0].sku if len(lines) == 1 else None
    return goods
