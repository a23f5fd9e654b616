"""A shop in one language with a row of every kind, for the browser's walk over all pages."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps.support.models import ClaimRule, ShippingPause, ShippingRule
from apps.support.services.catalogue import policy_set, shipping_rule_upsert, sku_upsert
from apps.support.services.claim_rules import rules_begin
from apps.support.services.claims import claim_open, photo_add
from apps.support.services.imports import batch_apply, batch_create
from apps.support.services.orders import order_upsert
from apps.support.services.requests import request_open
from furrow.tenants.services import SYSTEM
from tests.apps.support.conftest import picture

WORDS: dict[str, dict[str, Any]] = {
    "zh": {
        "goods": {"name_zh": "青禾脐橙·大果", "category": "脐橙", "aliases": ["脐橙"], "storage_zh": "冷藏45天"},
        "returns": "生鲜不适用七天无理由退货。", "zone": "一区", "never": "不发货", "carrier": "顺丰速运", "wish": "能不能周五前发出？", "account": "果友小满",
        "file": "商家编码,商品名称,零售价,库存\nX-1,苹果,9.90,3\nX-2,梨,免费,1\n", "orders": "价目表.csv",
    },
    "en": {
        "goods": {"name_en": "Navel orange large", "category": "orange", "aliases": ["orange"], "storage_en": "chilled, 45 days"},
        "returns": "Fresh fruit cannot be returned.", "zone": "near", "never": "never", "carrier": "Swift", "wish": "Could it leave before Friday?", "account": "ann",
        "file": "code,name,price,stock\nX-1,Apple,9.90,3\nX-2,Pear,free,1\n", "orders": "prices.csv",
    },
}  # fmt: skip


def seed(code: str) -> dict[str, Any]:
    """Inside `tenant_tx`; gives the parameters of the shop's routes."""
    words, now = WORDS[code], timezone.now()
    rules_begin(actor=SYSTEM)
    sku = sku_upsert(
        values={"code": "HN-1", "price": "69.90", "net_weight_kg": "5", "stock": 12, "season": [1110, 131], **words["goods"]}
    )  # fmt: skip
    shipping_rule_upsert(
        values={"name": words["zone"], "regions": ["广东"], "first_kg": "5", "first_fee": "8", "extra_fee": "1.5", "free_over": "99", "days": [2, 3]}
    )  # fmt: skip
    shipping_rule_upsert(values={"name": words["never"], "regions": ["西藏"], "is_served": False})
    ShippingPause.objects.create(regions=["吉林"], first_day=1215, last_day=215)
    policy_set(actor=SYSTEM, topic="returns", text_zh=words["returns"], text_en=words["returns"])
    values = {
        "number": "2417730012345678901", "status": "shipped", "phone_tail": "6612", "region": "广东", "account": words["account"],
        "ordered_at": now - timedelta(days=3), "delivered_at": now - timedelta(hours=5), "paid_amount": "139.80",
        "freight": "8.00", "carrier": words["carrier"], "tracking_number": "SF1407712345678",
    }  # fmt: skip
    lines = [{"sku_code": "HN-1", "quantity": 2, "line_amount": "139.80"}]
    order = order_upsert(platform="taobao", values=values, lines=lines)
    claim = claim_open(
        actor=SYSTEM, reason="spoiled", order=order, sku=sku, facts={"bad_kg": "4"}, language=code
    )
    photos = [
        photo_add(actor=SYSTEM, claim=claim, kind=kind, data=picture(n + 1, taken="2026:01:02 08:00:00"))
        for n, kind in enumerate(("label", "box", "goods"))
    ]  # fmt: skip
    claim_open(actor=SYSTEM, reason="late", order=order, sku=sku, language=code)
    good = "\n".join(words["file"].splitlines()[:2])
    taken = batch_create(
        actor=SYSTEM, kind="products", data=good.encode(), file_name=words["orders"]
    )
    batch_apply(actor=SYSTEM, batch=taken)
    batch = batch_create(
        actor=SYSTEM, kind="products", data=words["file"].encode(), file_name=words["orders"]
    )
    wish = request_open(order_id=order.id, kind="urge", wish=words["wish"])
    return {
        "sku_id": sku.id, "order_id": order.id, "claim_id": claim.id, "photo_id": photos[0].id, "batch_id": batch.id,
        "request_id": wish.id, "topic": "returns", "zone_id": ShippingRule.objects.get(name=words["zone"]).id,
        "pause_id": ShippingPause.objects.first().id, "rule_id": ClaimRule.objects.get(reason="short_weight").id,
    }  # fmt: skip
