"""Celery entry points of metering: each calls one service for all tenants."""

from celery import shared_task
from django.utils import timezone

from furrow.core.context import tenant_context
from furrow.core.errors import Conflict, UpstreamFailed
from furrow.core.logs import get_logger
from furrow.metering import invoices, receipts, reconcile, rollups, sweep
from furrow.metering.receipt_pages import receipt_sources, receipts_client

log = get_logger(__name__)


@shared_task(name="furrow.metering.tasks.receipts_task")
def receipts_task() -> None:
    """Receipts first, so that a hold is not given up while its receipt waits."""
    with tenant_context(None):
        for source in receipt_sources():
            try:
                with receipts_client(source) as client:
                    receipts.receipts_pull(client, source=source)
            except UpstreamFailed as error:
                log.warning(error.code, source=source)
        sweep.sweep_expired()


@shared_task(name="furrow.metering.tasks.rollups_task")
def rollups_task() -> None:
    with tenant_context(None):
        rollups.rollup_run()


@shared_task(name="furrow.metering.tasks.reconcile_task")
def reconcile_task(is_full: bool = False) -> None:
    with tenant_context(None):
        for source in receipt_sources():
            with receipts_client(source) as client:
                reconcile.reconcile(source=source, client=client, is_full=is_full)


@shared_task(name="furrow.metering.tasks.invoices_task")
def invoices_task() -> None:
    with tenant_context(None):
        try:
            invoices.invoices_close_due(timezone.localdate())
        except Conflict:
            log.info("month_still_open")
