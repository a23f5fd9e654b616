"""Celery entry points of channels."""

from celery import shared_task

from furrow.channels.news import news_tell
from furrow.channels.outside.polling import connections_poll
from furrow.channels.outside.replies import replies_collect
from furrow.core.context import tenant_context


@shared_task(name="furrow.channels.tasks.news_task")
def news_task() -> None:
    with tenant_context(None):
        news_tell()


@shared_task(name="furrow.channels.tasks.replies_task")
def replies_task() -> None:
    with tenant_context(None):
        replies_collect()


@shared_task(name="furrow.channels.tasks.poll_task")
def poll_task() -> None:
    with tenant_context(None):
        connections_poll()
