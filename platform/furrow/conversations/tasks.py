"""Celery entry points of conversations: each calls one service for all tenants."""

from celery import shared_task

from furrow.conversations import hours
from furrow.core.context import tenant_context


@shared_task(name="furrow.conversations.tasks.hours_task")
def hours_task() -> None:
    with tenant_context(None):
        hours.hours_sum_up()


@shared_task(name="furrow.conversations.tasks.hours_check_task")
def hours_check_task() -> None:
    with tenant_context(None):
        hours.hours_check()
