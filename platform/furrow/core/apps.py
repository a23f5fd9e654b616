from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


def _secure_after_migrate(using: str, **kwargs: Any) -> None:
    from furrow.core import security  # noqa: PLC0415  it names models, which load after the app configs

    if using == "owner":
        security.apply(connections[using])


class CoreConfig(AppConfig):
    name = "furrow.core"
    label = "core"

    def ready(self) -> None:
        # Sent once per app; registering on the last-named sender alone would depend on app order.
        post_migrate.connect(_secure_after_migrate, sender=self, dispatch_uid="furrow-row-security")
