"""Writes on goods, stock and zones: by file, by API or by hand, all through the same functions."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.support.models import (
    Policy,
    Product,
    SeasonWindow,
    ShippingRule,
    ShopSettings,
    Sku,
    StockSnapshot,
    StorageTip,
)
from apps.support.selectors import sku_get
from apps.support.services.recording import Recorder
from furrow.core.errors import Conflict, Invalid
from furrow.tenants.services import Actor, audit

_PRODUCT_FIELDS = ("name_zh", "name_en", "category", "aliases")
_SKU_FIELDS = ("spec", "unit", "is_cold_chain", "ships_from")
_SKU_DECIMALS = ("net_weight_kg", "price")
_RULE_FIELDS = ("regions", "is_served", "carrier", "is_cold_chain_served")
_RULE_DECIMALS = ("first_kg", "first_fee", "extra_fee", "free_over", "cold_chain_fee")


@transaction.atomic
def sku_upsert(
    *, values: Mapping[str, Any], as_of: datetime | None = None, recorder: Recorder | None = None
) -> Sku:
    """Makes or updates what has this code. A field that is not given stays as it is."""
    recorder, as_of = recorder or Recorder(), as_of or timezone.now()
    code = str(values["code"]).strip()
    sku: Sku | None = (
        Sku.objects.select_for_update(of=("self",))
        .select_related("product")
        .filter(code=code)
        .first()
    )
    if sku is None:
        if not values.get("name_zh") and not values.get("name_en"):
            raise Invalid(_("A new product needs a name."), field="name_zh")
        sku = Sku(product=Product(), code=code)
    product = sku.product
    for name in _PRODUCT_FIELDS:
        if name in values:
            setattr(product, name, values[name])
    product.as_of, product.deleted_at = as_of, None
    recorder.save(product)
    sku.product = product
    for name in _SKU_FIELDS:
        if name in values:
            setattr(sku, name, values[name])
    for name in _SKU_DECIMALS:
        if name in values:
            setattr(sku, name, None if values[name] is None else Decimal(str(values[name])))
    sku.as_of, sku.deleted_at = as_of, None
    recorder.save(sku, is_counted=True)
    _belongings(sku, values, as_of, recorder)
    return sku


def _belongings(sku: Sku, values: Mapping[str, Any], as_of: datetime, recorder: Recorder) -> None:
    if values.get("stock") is not None:
        stock_set(sku=sku, quantity=int(values["stock"]), as_of=as_of, recorder=recorder)
    if values.get("season"):
        first, last = values["season"]
        kind = SeasonWindow.Kind.HARVEST
        window = SeasonWindow.objects.filter(sku=sku, kind=kind).first() or SeasonWindow(
            sku=sku, kind=kind
        )
        window.first_day, window.last_day, window.as_of = first, last, as_of
        recorder.save(window)
    if values.get("storage_zh") or values.get("storage_en"):
        tip = StorageTip.objects.filter(sku=sku).first() or StorageTip(sku=sku)
        tip.text_zh = values.get("storage_zh") or tip.text_zh
        tip.text_en = values.get("storage_en") or tip.text_en
        tip.as_of = as_of
        recorder.save(tip)


def stock_set(
    *, sku: Sku, quantity: int, as_of: datetime | None = None, recorder: Recorder | None = None
) -> StockSnapshot:
    if quantity < 0:
        raise Invalid(_("Stock cannot be below zero."), field="quantity")
    snapshot = StockSnapshot(sku=sku, quantity=quantity, as_of=as_of or timezone.now())
    (recorder or Recorder()).save(
        snapshot, is_counted=recorder is not None and not recorder.changes
    )
    return snapshot


def stock_set_by_code(
    *, code: str, quantity: int, as_of: datetime | None = None, recorder: Recorder | None = None
) -> StockSnapshot:
    return stock_set(sku=sku_get(code), quantity=quantity, as_of=as_of, recorder=recorder)


@transaction.atomic
def shipping_rule_upsert(
    *, values: Mapping[str, Any], as_of: datetime | None = None, recorder: Recorder | None = None
) -> ShippingRule:
    """Raises `Conflict` when a region stands in another zone: two fees for one place are one too many."""
    recorder, as_of = recorder or Recorder(), as_of or timezone.now()
    name = str(values["name"]).strip()
    rule = ShippingRule.objects.select_for_update().filter(name=name).first() or ShippingRule(
        name=name
    )
    for field in _RULE_FIELDS:
        if field in values:
            setattr(rule, field, values[field])
    for field in _RULE_DECIMALS:
        if field in values:
            setattr(rule, field, None if values[field] is None else Decimal(str(values[field])))
    if values.get("days"):
        rule.days_min, rule.days_max = values["days"]
    for other in ShippingRule.objects.exclude(id=rule.id):
        if twice := set(other.regions) & set(rule.regions):
            raise Conflict(
                _("%(region)s stands in zone %(zone)s already.")
                % {"region": sorted(twice)[0], "zone": other.name}
            )
    rule.as_of = as_of
    recorder.save(rule, is_counted=True)
    return rule


@transaction.atomic
def sku_delete(*, actor: Actor, sku: Sku) -> None:
    """No longer answered nor shown; orders and claims keep it. `sku_restore` undoes it."""
    Sku.objects.filter(id=sku.id).update(deleted_at=timezone.now())
    audit(actor, "support.sku_deleted", object_type="sku", object_id=sku.id)


@transaction.atomic
def sku_restore(*, actor: Actor, sku_id: Any) -> None:
    Sku.objects.filter(id=sku_id).update(deleted_at=None)
    audit(actor, "support.sku_restored", object_type="sku", object_id=sku_id)


@transaction.atomic
def policy_set(*, actor: Actor, topic: str, text_zh: str, text_en: str) -> Policy:
    """Empty texts take the topic out of the answers."""
    row: Policy = Policy.objects.update_or_create(
        topic=topic, defaults={"text_zh": text_zh, "text_en": text_en, "as_of": timezone.now()}
    )[0]
    audit(actor, "support.policy_set", object_type="policy", object_id=row.id, topic=topic)
    return row


@transaction.atomic
def settings_update(*, actor: Actor, **values: Any) -> ShopSettings:
    row: ShopSettings = ShopSettings.objects.get_or_create()[0]
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    audit(actor, "support.settings_updated", object_type="settings", object_id=row.id)
    return row
