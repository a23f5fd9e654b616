"""Celery entry points of upkeep."""

from celery import shared_task

from furrow.core.context import tenant_context
from furrow.ops.upkeep import upkeep


@shared_task(name="furrow.ops.tasks.upkeep_task")
def upkeep_task() -> None:
    with tenant_context(None):
        upkeep()
