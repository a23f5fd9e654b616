"""Writes on the pauses of the seasons, when some provinces get nothing."""

from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.support.models import ShippingPause
from furrow.core.errors import Invalid, NotFound
from furrow.tenants.services import Actor, audit


@transaction.atomic
def pause_save(
    *,
    actor: Actor,
    regions: list[str],
    days: tuple[int, int],
    reason_zh: str = "",
    reason_en: str = "",
    pause_id: UUID | None = None,
) -> ShippingPause:
    """Days are month times 100 plus day; a pause may run over New Year."""
    first_day, last_day = days
    for field, day in (("first_day", first_day), ("last_day", last_day)):
        if not _is_day(day):
            raise Invalid(_("This day does not exist."), field=field)
    if not regions:
        raise Invalid(_("Name at least one province."), field="regions")
    row = pause_get(pause_id) if pause_id else ShippingPause()
    row.regions, row.first_day, row.last_day = regions, first_day, last_day
    row.reason_zh, row.reason_en, row.as_of = reason_zh, reason_en, timezone.now()
    row.save()
    audit(actor, "support.pause_saved", object_type="pause", object_id=row.id)
    return row


def _is_day(code: int) -> bool:
    try:
        # A leap year, so that 29 February is a day.
        date(2028, code // 100, code % 100)
    except ValueError:
        return False
    return True


def pause_get(pause_id: UUID) -> ShippingPause:
    row: ShippingPause | None = ShippingPause.objects.filter(id=pause_id).first()
    if row is None:
        raise NotFound(_("This pause does not exist."))
    return row


@transaction.atomic
def pause_remove(*, actor: Actor, pause: ShippingPause) -> None:
    pause_id = pause.id
    pause.delete()
    audit(actor, "support.pause_removed", object_type="pause", object_id=pause_id)
