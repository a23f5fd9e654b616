"""The demo orchard's shop: its catalogue, zones and rules from the demo's own sources, a few orders and claims."""

import csv
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from apps.support.importing import cells
from apps.support.models import Order, Policy, ShippingPause, Sku
from apps.support.services.catalogue import shipping_rule_upsert, sku_upsert
from apps.support.services.claim_rules import rules_begin
from apps.support.services.orders import order_upsert
from apps.support.template import RUNGS as SHOP_RUNGS
from furrow.assistants.models import Assistant
from furrow.assistants.services import assistant_publish, assistant_update
from furrow.core.context import tenant_tx
from furrow.ops.demo.sources import SOURCES
from furrow.tenants.selectors import tenant_by_slug
from furrow.tenants.services import SYSTEM, trades_show

RUNGS = list(SHOP_RUNGS)
# By the letters of the codes: category, and what customers say.
_GROUPS: dict[str, tuple[str, str]] = {
    "HN": ("脐橙", "橙子、橙、脐橙、orange、navel orange"),
    "MY": ("蜜柚", "柚子、柚、文旦、蜜柚、pomelo、honey pomelo"),
    "MH": ("猕猴桃", "奇异果、猕猴桃、kiwi、kiwi fruit、kiwifruit"),
    "HT": ("黄桃", "桃子、桃、黄桃、peach、yellow peach"),
    "BL": ("板栗", "栗子、板栗、chestnut"),
    "LH": ("礼盒", "礼盒、gift box"),
}
_ONE: dict[str, tuple[str, str]] = {
    "HN-2025/A6": ("脐橙", "血橙、blood orange"),
    "HN-2025/A7": ("脐橙", "榨汁果、榨汁橙、榨汁的橙、juicing orange、navel orange"),
    "HT-2025/D4": ("加工品", "黄桃罐头、罐头、canned peach、canned yellow peach"),
    "BL-2025/E4": ("冷冻", "板栗仁、栗仁、shelled chestnut、frozen chestnut"),
    "LH-2025/G4": ("礼盒", "年货礼箱、年货大礼箱、年货、hamper、new year hamper"),
    "JG-2025/J1": ("加工品", "橙干、橙子干、脐橙干、橙片、dried orange"),
    "JG-2025/J2": ("加工品", "柚子茶、蜜柚茶、蜂蜜柚子茶、pomelo tea"),
    "JG-2025/J3": ("果汁", "橙汁、脐橙汁、果汁、冷榨橙汁、orange juice、juice"),
}
_COLD = {"HT-2025/D1", "HT-2025/D2", "HT-2025/D3", "BL-2025/E4", "JG-2025/J3"}
_ENGLISH = (
    ("冷藏", "refrigerated, "), ("冷冻", "frozen, "), ("室温通风", "at room temperature, aired, "), ("阴凉通风", "cool and aired, "),
    ("阴凉避光", "cool and dark, "), ("阴凉密封", "cool and sealed, "), ("常温", "at room temperature, "),
    ("吃前催熟", "; ripen before eating"), ("分开存放", "keep the fruits apart"), ("见储存指南", "; see the storage guide"),
    ("开封后", "; once opened "), ("个月", " months"), ("天", " days"),
)  # fmt: skip
_POLICIES = (
    ("dispatch", "现货订单16:00前付款的当天发货，之后次日发货；冷库商品14:00截单。",
     "Orders paid before 16:00 leave the same day, later ones the next day; goods from the cold store close at 14:00."),
    ("returns", "生鲜商品不适用七天无理由退货；坏果按售后规则赔付。",
     "Fresh fruit cannot be returned without a reason; bad fruit is paid by the claim rules."),
    ("invoice", "可以开普通发票，下单后30天内申请，3个工作日内开出。",
     "Invoices can be asked for within 30 days and are issued within 3 working days."),
    ("pickup", "青坪一号仓可以自提，时间9:00至17:00，其他仓不自提。",
     "You can collect at warehouse 1 from 9:00 to 17:00; the other warehouses have no collection."),
)  # fmt: skip


def demo_load() -> None:
    """For the demo orchard, once: what its owner changed later stays."""
    tenant = tenant_by_slug("orchard")
    if tenant is None:
        return
    with tenant_tx(tenant.id):
        if Sku.objects.exists():
            return
        trades_show(actor=SYSTEM, tenant=tenant, shown=["support"])
        shop_load()
        orders_load()
        for assistant in Assistant.objects.filter(deleted_at=None):
            assistant_update(actor=SYSTEM, assistant=assistant, rungs=RUNGS)
            assistant_publish(actor=SYSTEM, assistant=assistant, note="live facts")


def shop_load() -> None:
    """Catalogue, zones, policies and claim rules. Inside `tenant_tx`."""
    for row in _source("products.csv"):
        sku_upsert(values=_product(row))
    for row in _source("regions.csv"):
        shipping_rule_upsert(values=_zone(row))
    ShippingPause.objects.create(
        regions=["黑龙江", "吉林", "内蒙古"], first_day=1215, last_day=215,
        reason_zh="严寒", reason_en="deep frost",
    )  # fmt: skip
    for topic, zh, en in _POLICIES:
        Policy.objects.create(topic=topic, text_zh=zh, text_en=en)
    rules_begin(actor=SYSTEM)


def _source(name: str) -> list[dict[str, str]]:
    with (SOURCES / "orchard" / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _product(row: dict[str, str]) -> dict[str, Any]:
    code = row["code"]
    category, calls = _ONE.get(code) or _GROUPS[code[:2]]
    return {
        "code": code,
        "name_zh": row["name_zh"],
        "name_en": row["name_en"],
        "category": category,
        "aliases": cells.words(calls),
        "spec": row["spec"],
        "unit": "",
        "net_weight_kg": Decimal(row["net_kg"]),
        "price": Decimal(row["unit_price"]),
        "stock": int(row["stock"]),
        "season": cells.season(row["harvest_window"]),
        "storage_zh": row["storage"],
        "storage_en": _english(row["storage"]),
        "ships_from": row["ships_from"],
        "is_cold_chain": code in _COLD,
    }


def _english(text: str) -> str:
    for chinese, english in _ENGLISH:
        text = text.replace(chinese, english)
    return (
        " ".join(text.replace(" ;", ";").replace(", ;", ";").split())
        .strip(" ,;")
        .replace(", ;", ";")
    )


def _zone(row: dict[str, str]) -> dict[str, Any]:
    is_served = bool(row["first_5kg"])
    values: dict[str, Any] = {
        "name": row["zone_zh"],
        "regions": cells.regions(row["provinces_zh"].replace("及", "、")),
        "is_served": is_served,
    }
    if is_served:
        values |= {
            "first_kg": Decimal(5),
            "first_fee": Decimal(row["first_5kg"]),
            "extra_fee": Decimal(row["extra_kg"]),
            "free_over": Decimal(row["free_over"]) if row["free_over"] else None,
            "days": cells.days(row["days"].replace("–", "-")),
            "is_cold_chain_served": row["zone_zh"] in {"一区", "二区"},
            "cold_chain_fee": Decimal(15),
        }
    return values


def orders_load() -> list[Order]:
    """Orders of three platforms in different states; receivers are invented."""
    now = timezone.now()
    rows: list[tuple[str, str, str, str, str, str, int, str, str]] = [
        ("taobao", "2417730012345678901", "shipped", "6612", "广东", "HN-2025/A3", 1, "69.90", "SF1407712345678"),
        ("pinduoduo", "261120-302918877665544", "delivered", "0931", "北京", "MY-2025/B2", 2, "59.80", "YT8820011223344"),
        ("douyin", "6929100200300400500", "paid", "7755", "四川", "BL-2025/E1", 1, "46.90", ""),
        ("other", "QH20261118-007", "completed", "2020", "上海", "LH-2025/G1", 3, "264.00", "JDVB0099887766"),
        ("taobao", "2417730098765432109", "placed", "4488", "浙江", "HN-2025/A5", 1, "108.00", ""),
    ]  # fmt: skip
    made = []
    for at, (platform, number, status, tail, region, code, count, paid, parcel) in enumerate(rows):
        ordered = now - timedelta(days=at + 2)
        sent = ordered + timedelta(hours=20) if parcel else None
        values = {
            "number": number, "status": status, "phone_tail": tail, "region": region, "account": f"buyer{at + 1}",
            "ordered_at": ordered, "paid_at": ordered if status != "placed" else None, "shipped_at": sent,
            "delivered_at": now - timedelta(hours=5) if status in {"delivered", "completed"} else None,
            "paid_amount": paid, "freight": "8.00", "carrier": "顺丰速运" if parcel.startswith("SF") else "圆通速递",
            "tracking_number": parcel,
        }  # fmt: skip
        lines = [{"sku_code": code, "quantity": count, "line_amount": paid}]
        made.append(order_upsert(platform=platform, values=values, lines=lines, as_of=now))
    return made
