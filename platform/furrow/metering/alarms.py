"""Alarms for the operator: raised by the comparison of sums, quiet until something changes once acknowledged."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.functions import Now

from furrow.core.context import unscoped
from furrow.core.errors import NotFound
from furrow.core.logs import get_logger
from furrow.metering.models import Alarm, ReceiptSource
from furrow.metering.money import amount_text

log = get_logger(__name__)


def alarms_raise(source: str, found: Mapping[str, Decimal | int]) -> None:
    """Raises what differs (amounts other than 0, by kind) unless it is known already. Inside `unscoped`."""
    for kind, value in found.items():
        amount = Decimal(value)
        if amount == 0:
            continue
        same = Alarm.objects.filter(kind=kind, source=source)
        if same.filter(acknowledged_at=None).update(
            amount=amount, times=F("times") + 1, last_seen_at=Now()
        ):
            continue
        last = same.order_by("-acknowledged_at").first()
        if last is not None and last.amount == amount:
            continue
        Alarm.objects.create(kind=kind, source=source, amount=amount)
        log.error("metering_alarm", kind=str(kind), source=source, amount=amount_text(amount))


def alarms_open() -> list[Alarm]:
    """What nobody has looked into yet, newest first; for the operator's page."""
    with unscoped("show the operator the alarms of metering"):
        return list(_all().filter(acknowledged_at=None))


def alarms_recent(limit: int = 50) -> list[Alarm]:
    """All, newest first; for the operator's page."""
    with unscoped("show the operator the alarms of metering"):
        return list(_all()[:limit])


def alarm_acknowledge(*, alarm_id: UUID, by: str, note: str = "") -> Alarm:
    """The operator looked into it. It is raised again only when it changes. Raises `NotFound`."""
    with unscoped("note that the operator looked into an alarm"):
        alarm: Alarm | None = Alarm.objects.filter(id=alarm_id, acknowledged_at=None).first()
        if alarm is None:
            raise NotFound("This alarm does not exist, or was acknowledged already.")
        alarm.acknowledged_at, alarm.acknowledged_by, alarm.note = Now(), by[:200], note[:300]
        alarm.save(update_fields=["acknowledged_at", "acknowledged_by", "note"])
        if alarm.kind == Alarm.Kind.RECEIPTS:
            ReceiptSource.objects.filter(name=alarm.source).update(missing_known=F("missing"))
        alarm.refresh_from_db()
    return alarm


def _all() -> QuerySet[Alarm]:
    return Alarm.objects.order_by("-created_at")
