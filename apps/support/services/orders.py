"""Writes on orders: by file or by API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.support.facts.order_numbers import digits_of, folded_number
from apps.support.models import Customer, Order, OrderLine, Shipment, Sku
from apps.support.models.orders import Platform
from apps.support.services.recording import Recorder
from furrow.core.errors import Invalid

_FIELDS = ("status", "phone_tail", "region")
_TIMES = ("ordered_at", "paid_at", "shipped_at", "delivered_at")
_AMOUNTS = ("paid_amount", "freight")


@transaction.atomic
def order_upsert(
    *,
    platform: str,
    values: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]] = (),
    as_of: datetime | None = None,
    recorder: Recorder | None = None,
) -> Order:
    """Makes or updates the order with this number. What is not given stays as it is; `lines` are replaced as a whole
    when there are any.
    """
    recorder, as_of = recorder or Recorder(), as_of or timezone.now()
    if platform not in Platform.values:
        raise Invalid(_("This platform does not exist."), field="platform")
    number = folded_number(str(values["number"]))
    order = Order.objects.select_for_update().filter(platform=platform, number=number).first()
    order = order or Order(platform=platform, number=number, digits=digits_of(number))
    _fill(order, values)
    if order.status not in Order.Status.values:
        raise Invalid(_("This state of an order does not exist."), field="status")
    if values.get("account"):
        order.customer = _customer(platform, values["account"], recorder)
    order.as_of = as_of
    recorder.save(order, is_counted=True)
    _lines(order, lines, recorder)
    for row in [values, *lines]:
        if row.get("tracking_number"):
            _parcel(order, row, as_of, recorder)
    return order


def _fill(order: Order, values: Mapping[str, Any]) -> None:
    for name in _FIELDS:
        if values.get(name):
            setattr(order, name, values[name])
    for name in _TIMES:
        if values.get(name):
            setattr(order, name, _moment(values[name]))
    for name in _AMOUNTS:
        if values.get(name) is not None:
            setattr(order, name, Decimal(str(values[name])))


def _customer(platform: str, account: str, recorder: Recorder) -> Customer:
    found: Customer | None = Customer.objects.filter(platform=platform, account=account).first()
    if found is None:
        found = Customer(platform=platform, account=account)
        recorder.save(found)
    return found


def _lines(order: Order, lines: Sequence[Mapping[str, Any]], recorder: Recorder) -> None:
    known = {line.position: line for line in OrderLine.objects.filter(order=order)}
    codes = [line["sku_code"] for line in lines if line.get("sku_code")]
    skus = {sku.code: sku for sku in Sku.objects.filter(code__in=codes)}
    for position, values in enumerate(lines, start=1):
        line = known.get(position) or OrderLine(order=order, position=position)
        line.title = values.get("title", "")[:300]
        line.sku_code = values.get("sku_code", "")
        line.sku = skus.get(line.sku_code)
        line.quantity = values.get("quantity", 1)
        amount = values.get("line_amount")
        line.amount = None if amount is None else Decimal(str(amount))
        recorder.save(line)


def _parcel(order: Order, values: Mapping[str, Any], as_of: datetime, recorder: Recorder) -> None:
    number = values["tracking_number"]
    parcel = Shipment.objects.filter(order=order, tracking_number=number).first()
    parcel = parcel or Shipment(order=order, tracking_number=number)
    parcel.carrier = values.get("carrier") or parcel.carrier
    if values.get("last_event"):
        parcel.last_event = values["last_event"]
        parcel.last_event_at = _moment(values.get("last_event_at"))
    parcel.as_of = as_of
    recorder.save(parcel)


def _moment(value: Any) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value))
