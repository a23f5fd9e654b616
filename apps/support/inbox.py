"""What the shop shows beside a conversation in the inbox, and the variables of its ready replies."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.support.facts.order_numbers import candidates, digits_of
from apps.support.models import Claim, Order, StaffRequest
from furrow.conversations.models import Turn
from furrow.core.extensions import PanelLine

ORDERS_SHOWN = 3
CLAIMS_SHOWN = 3


def panel(conversation_id: UUID, slug: str) -> list[PanelLine]:
    """Orders named in the chat, with wishes and claims that hang on it, and the way to a new claim."""
    orders = orders_named(conversation_id)
    lines = [_order_line(order, slug) for order in orders]
    for wish in StaffRequest.objects.filter(
        conversation_id=conversation_id, state=StaffRequest.State.OPEN
    ).select_related("order"):
        url = reverse("support:requests", args=[slug])
        lines.append(PanelLine(_("Wish"), f"{wish.get_kind_display()}: {wish.order.number}", url))
    of_chat = Q(conversation_id=conversation_id) | Q(order__in=[order.id for order in orders])
    claims = list(
        Claim.objects.filter(of_chat).prefetch_related("photos").order_by("-number")[:CLAIMS_SHOWN]
    )
    for claim in claims:
        url = reverse("support:claim", args=[slug, claim.id])
        text = f"#{claim.number} {claim.get_reason_display()} · {claim.get_state_display()}"
        doubtful = sum(bool(photo.findings) for photo in claim.photos.all())
        if doubtful:
            text += " · " + _("%(n)s doubtful photos") % {"n": doubtful}
        lines.append(PanelLine(_("Claim"), text, url))
    if not claims:
        order = f"&order={orders[0].id}" if orders else ""
        url = (
            reverse("support:claim_create", args=[slug]) + f"?conversation={conversation_id}{order}"
        )
        lines.append(PanelLine(_("Claim"), _("Open a claim for this chat"), url))
    return lines


def _order_line(order: Order, slug: str) -> PanelLine:
    parts = [order.number, str(order.get_status_display())]
    parts += [parcel.tracking_number for parcel in order.shipments.all() if parcel.tracking_number]
    return PanelLine(_("Order"), " · ".join(parts), reverse("support:order", args=[slug, order.id]))


def orders_named(conversation_id: UUID) -> list[Order]:
    """Orders whose whole number stands in the chat, the last named first. For staff only: no identity is checked."""
    texts = Turn.objects.filter(conversation_id=conversation_id).order_by("-number")
    numbers = _numbers(texts.values_list("text", flat=True)[:20])
    if not numbers:
        return []
    rows = Order.objects.filter(digits__in=numbers).prefetch_related("shipments")
    return sorted(rows, key=lambda order: numbers.index(order.digits))[:ORDERS_SHOWN]


def _numbers(texts: Iterable[str]) -> list[str]:
    found = [digits_of(number) for text in texts for number in candidates(text)]
    return list(dict.fromkeys(found))


def order_variable(conversation_id: UUID) -> dict[str, str]:
    orders = orders_named(conversation_id)
    number = orders[0].number if orders else ""
    return {"zh": number, "en": number}


def tracking_variable(conversation_id: UUID) -> dict[str, str]:
    for order in orders_named(conversation_id):
        for parcel in order.shipments.all():
            if parcel.tracking_number:
                text = f"{parcel.carrier} {parcel.tracking_number}".strip()
                return {"zh": text, "en": text}
    return {"zh": "", "en": ""}
