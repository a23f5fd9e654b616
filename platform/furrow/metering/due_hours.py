"""Hours that must be summed up again, each in a transaction of its own: one that fails holds up no other."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import Error
from django.db.models import Min
from django.db.models.functions import Now

from furrow.core.context import tenant_tx, unscoped
from furrow.core.logs import get_logger
from furrow.core.models import TenantModel
from furrow.metering.alarms import alarms_raise
from furrow.metering.models import Alarm

log = get_logger(__name__)


def due_hours_make(
    due: type[TenantModel], make: Callable[[datetime], None], *, source: str, limit: int
) -> int:
    """Makes the hours that wait longest, of every tenant; how many were made. What the database refuses stays
    due, goes behind all that waits now, and rings for the operator as an alarm of `source`.
    """
    with unscoped("find the hours of all tenants to sum up again"):
        rows = due.objects.values_list("tenant_id", "hour").annotate(since=Min("created_at"))
        waiting: list[tuple[UUID, datetime, Any]] = list(rows.order_by("since")[:limit])
    failed = sum(not _is_made(due, make, tenant_id, hour) for tenant_id, hour, _ in waiting)
    if failed:
        with unscoped("tell the operator that hours could not be summed up"):
            alarms_raise(source, {Alarm.Kind.HOURS: failed})
    return len(waiting) - failed


def _is_made(
    due: type[TenantModel], make: Callable[[datetime], None], tenant_id: UUID, hour: datetime
) -> bool:
    try:
        with tenant_tx(tenant_id):
            make(hour)
    except Error as error:
        log.error(
            "hour_not_summed_up",
            table=due._meta.db_table,
            tenant=str(tenant_id),
            hour=hour.isoformat(),
            error=type(error.__cause__ or error).__name__,
        )
        # A database that is gone altogether fails here too, and ends the run.
        with tenant_tx(tenant_id):
            due.objects.filter(hour=hour).update(created_at=Now())
        return False
    return True
