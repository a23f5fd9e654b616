"""Rows as the REST contract words them."""

from decimal import Decimal
from typing import Any

from apps.support.claiming.explain import explained
from apps.support.models import Claim, ClaimPhoto, Order, ShippingRule, Sku, StaffRequest


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def product(row: Sku, stock: int | None) -> dict[str, Any]:
    return {
        "code": row.code,
        "name_zh": row.product.name_zh,
        "name_en": row.product.name_en,
        "category": row.product.category,
        "price": _text(row.price),
        "currency": row.currency,
        "net_weight_kg": _text(row.net_weight_kg),
        "stock": stock,
        "as_of": row.as_of,
    }


def zone(row: ShippingRule) -> dict[str, Any]:
    amounts = ("first_kg", "first_fee", "extra_fee", "free_over")
    return {
        "name": row.name,
        "regions": row.regions,
        "is_served": row.is_served,
        "days": [row.days_min, row.days_max],
        "as_of": row.as_of,
        **{name: _text(getattr(row, name)) for name in amounts},
    }


def order(row: Order) -> dict[str, Any]:
    names = ("id", "platform", "number", "status", "region", "phone_tail", "ordered_at", "delivered_at", "as_of")  # fmt: skip
    parcels = [
        {"carrier": p.carrier, "tracking_number": p.tracking_number, "last_event": p.last_event}
        for p in row.shipments.all()
    ]
    shown = {name: getattr(row, name) for name in names}
    return {**shown, "paid_amount": _text(row.paid_amount), "parcels": parcels}


def staff_request(row: StaffRequest) -> dict[str, Any]:
    names = ("id", "order_id", "kind", "state", "wish", "note", "created_at")
    return {name: getattr(row, name) for name in names}


def photo(row: ClaimPhoto) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "kind", "sha256", "taken_at", "findings")}


def claim(row: Claim) -> dict[str, Any]:
    names = ("id", "number", "state", "reason", "order_id", "currency", "letter", "created_at")
    return {
        **{name: getattr(row, name) for name in names},
        "offer": _text(row.offer),
        "missing": row.outcome.get("missing", []),
        "approver": row.outcome.get("approver", ""),
        "first_yes_at": row.first_yes_at,
        "explanation": explained(row.outcome.get("steps", []), row.language),
        "photos": [photo(each) for each in row.photos.all()],
    }
