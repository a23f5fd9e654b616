"""Celery entry points of channels."""

from celery import shared_task

from furrow.channels.news import news_tell
from furrow.core.context import tenant_context


@shared_task(name="furrow.channels.tasks.news_task")
def news_task() -> None:
    with tenant_context(None):
        news_tell()
