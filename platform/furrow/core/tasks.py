"""Celery entry points. Ten lines at most: load nothing, call one service."""

from celery import shared_task

from furrow.core import jobs
from furrow.core.context import tenant_context


@shared_task(name=jobs.RUN_TASK)
def job_run_task(lane: str) -> None:
    with tenant_context(None):
        jobs.run_next(lane)


@shared_task(name="furrow.core.tasks.jobs_sweep_task")
def jobs_sweep_task() -> None:
    with tenant_context(None):
        jobs.sweep()
