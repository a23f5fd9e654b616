"""Celery entry points of metering: each calls one service for all tenants."""

from celery import shared_task
from django.utils import timezone

from furrow.core.context import tenant_context
from furrow.core.errors import Conflict, UpstreamFailed
from furrow.core.logs import get_logger
from furrow.metering import invoices, receipts, reconcile, rollups, sweep

log = get_logger(__name__)


@shared_task(name="furrow.metering.tasks.receipts_task")
def receipts_task() -> None:
    """Receipts first, so that a hold is not given up while its receipt waits."""
    with tenant_context(None):
        try:
            with receipts.receipts_client() as client:
                receipts.receipts_pull(client)
        except UpstreamFailed as error:
            log.warning("receipts_unavailable", code=error.code)
        sweep.sweep_expired()


@shared_task(name="furrow.metering.tasks.rollups_task")
def rollups_task() -> None:
    with tenant_context(None):
        rollups.rollup_run()


@shared_task(name="furrow.metering.tasks.reconcile_task")
def reconcile_task() -> None:
    with tenant_context(None), receipts.receipts_client() as client:
        reconcile.reconcile(client=client)


@shared_task(name="furrow.metering.tasks.invoices_task")
def invoices_task() -> None:
    with tenant_context(None):
        try:
            invoices.invoices_close_due(timezone.localdate())
        except Conflict:
            log.info("month_still_open")
