"""The clock's own Celery application: it only sends tasks by name, so neither apps nor tasks are loaded for it."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.utils.log import configure_logging

configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


class Clock(Celery):
    # The one for Django loads every app: half of the memory of this process.
    builtin_fixups: set[str] = set()


app = Clock("furrow-clock")
app.config_from_object("django.conf:settings", namespace="CELERY")
