"""One row of everything the shop can have, and the parameters of its routes."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.support.models import Claim, ClaimRule, ShippingRule, StaffRequest
from apps.support.services.claims import claim_open, photo_add
from apps.support.services.imports import batch_create
from apps.support.services.orders import order_upsert
from apps.support.services.pauses import pause_save
from apps.support.services.requests import request_open
from furrow.tenants.services import SYSTEM
from tests.apps.support.conftest import picture, stand_make


def shop_rows() -> dict[str, Any]:
    """Inside `tenant_tx`."""
    stand = stand_make()
    now = timezone.now()
    values = {
        "number": "88887777666655", "status": "shipped", "phone_tail": "1234", "ordered_at": now - timedelta(days=3),
        "delivered_at": now - timedelta(hours=5), "paid_amount": "139.80", "freight": "8", "carrier": "SF",
        "tracking_number": "SF99887766",
    }  # fmt: skip
    order = order_upsert(
        platform="taobao",
        values=values,
        lines=[{"sku_code": "HN-1", "quantity": 2, "line_amount": "139.80"}],
    )
    claim = claim_open(
        actor=SYSTEM, reason="spoiled", order=order, sku=stand["orange"], facts={"bad_kg": "4"}
    )
    photo = photo_add(actor=SYSTEM, claim=claim, kind="label", data=picture(1, size=(64, 48)))
    for n, kind in enumerate(("box", "goods")):
        photo_add(actor=SYSTEM, claim=claim, kind=kind, data=picture(n + 2, size=(64, 48)))
    # What was taken over must not vanish; the page tests look at a preview with a bad row.
    batch = batch_create(
        actor=SYSTEM,
        kind="products",
        data="商家编码,商品名称,零售价\nX-1,苹果,9.90\nX-2,梨,免费\n".encode(),
        file_name="list.csv",
    )
    wish = request_open(order_id=order.id, kind=StaffRequest.Kind.URGE, wish="快点")
    return {
        "sku": stand["orange"],
        "order": order,
        "claim": Claim.objects.get(id=claim.id),
        "photo": photo,
        "batch": batch,
        "request": wish,
        "zone": ShippingRule.objects.get(name="near"),
        "rule": ClaimRule.objects.get(reason="short_weight"),
        "pause": pause_save(actor=SYSTEM, regions=["黑龙江"], days=(1215, 215)),
    }


def known_ids(rows: dict[str, Any]) -> dict[str, Any]:
    ids = {f"{name}_id": row.id for name, row in rows.items()}
    with_words = {"kind": "products", "topic": "returns"}
    return {**ids, **with_words}
