"""Celery entry points of this app; its real work runs as jobs, see `furrow.core.jobs`."""

from celery import shared_task

from furrow.core.context import tenant_context
from furrow.knowledge.backfill import stale_bases_enqueue


@shared_task(name="furrow.knowledge.tasks.stale_bases_task")
def stale_bases_task() -> None:
    with tenant_context(None):
        stale_bases_enqueue()
