"""The Celery application. Queues: `chat` (thread pool) and `ingest` (prefork)."""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import worker_before_create_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("furrow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_before_create_process.connect
def memory_share(**_: Any) -> None:
    """The collector writes into every object it looks at, which would copy what parent and child share."""
    gc.collect()
    gc.freeze()
