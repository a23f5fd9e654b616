"""Celery entry points of this app; its real work runs as jobs, see `furrow.core.jobs`."""

from celery import shared_task

from furrow.assistants.evaluation.nightly import nightly_enqueue
from furrow.core.context import tenant_context


@shared_task(name="furrow.assistants.tasks.nightly_task")
def nightly_task() -> None:
    with tenant_context(None):
        nightly_enqueue()
