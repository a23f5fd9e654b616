"""What a claim knows: from its order and goods, from people, and what was paid back before."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from apps.support.claiming.rules import (
    EXCLUSIONS,
    Facts,
    decimal_of,
)
from apps.support.models import Claim, ClaimPhoto, Order, Sku
from furrow.core.errors import Invalid

_WEIGHTS = ("net_kg", "bad_kg", "received_kg", "sugar")
_AMOUNTS = ("paid", "freight")
_COUNTS = ("bad_count", "total_count", "days_late")
_TIMES = ("delivered_at", "picked_up_at")
FACT_NAMES = (*_WEIGHTS, *_AMOUNTS, *_COUNTS, *_TIMES, "is_pickup_announced", "exclusions")


def facts_known(order: Order | None, sku: Sku | None) -> dict[str, Any]:
    """From rows; what a person says comes over it. Of an order with several goods the line of the goods counts."""
    known: dict[str, Any] = {}
    quantity = 1
    if order is not None:
        lines = list(order.lines.all())
        line = next((each for each in lines if sku is not None and each.sku_id == sku.id), None)
        amount = line.amount if line is not None else None
        known["paid"] = order.paid_amount if amount is None and len(lines) < 2 else amount
        known |= {"freight": order.freight, "delivered_at": order.delivered_at}
        quantity = line.quantity if line is not None else 1
    if sku is not None and sku.net_weight_kg is not None:
        known["net_kg"] = sku.net_weight_kg * quantity
    return {name: value for name, value in known.items() if value is not None}


def facts_checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON: amounts as text, moments in ISO. Raises `Invalid` that names the field."""
    checked: dict[str, Any] = {}
    for name, value in facts.items():
        if name not in FACT_NAMES:
            raise Invalid(_("This figure does not exist."), field=name)
        checked[name] = None if value is None else _fact(name, value)
    return checked


def _fact(name: str, value: Any) -> Any:
    if name in _WEIGHTS or name in _AMOUNTS:
        return str(decimal_of(value, field=name))
    if name in _COUNTS:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Invalid(_("This is no whole number."), field=name)
        return value
    if name in _TIMES:
        return value.isoformat() if isinstance(value, datetime) else str(value)
    if name == "exclusions":
        if set(value) - set(EXCLUSIONS):
            raise Invalid(_("This exclusion does not exist."), field=name)
        return sorted(value)
    return bool(value)


def facts_of(claim: Claim) -> Facts:
    """The claim as the engine wants it: what was said, the photos there are, what was paid back before."""
    values: dict[str, Any] = dict(claim.facts)
    for name in (*_WEIGHTS, *_AMOUNTS):
        if name in values:
            values[name] = Decimal(values[name])
    for name in _TIMES:
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    photos = list(ClaimPhoto.objects.filter(claim=claim))
    return Facts(
        claim.reason,
        claim.reported_at,
        **{**values, "exclusions": frozenset(values.get("exclusions", ()))},
        category=claim.sku.product.category if claim.sku else "",
        already_refunded=_refunded_before(claim),
        photos=frozenset(photo.kind for photo in photos),
        is_photo_doubtful=any(photo.findings for photo in photos),
    )


def _refunded_before(claim: Claim) -> Decimal:
    approved = same_goods(claim).filter(state=Claim.State.APPROVED)
    return approved.aggregate(sum=Sum("offer"))["sum"] or Decimal(0)


def same_goods(claim: Claim) -> "QuerySet[Claim]":
    """Other claims on the same goods of the same order; one that names no goods is about all of them."""
    if claim.order_id is None:
        return Claim.objects.none()
    others = Claim.objects.filter(order_id=claim.order_id).exclude(id=claim.id)
    if claim.sku_id is None:
        return others
    return others.filter(Q(sku_id=claim.sku_id) | Q(sku_id=None))
