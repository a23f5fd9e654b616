"""The widget: where an assistant may be embedded and how it looks there."""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models

from furrow.assistants.models import Assistant
from furrow.core.models import TenantForeignKey, TenantModel


def _public_key() -> str:
    return secrets.token_urlsafe(12)


class Widget(TenantModel):
    """`public_key` stands in the page of the site and opens nothing by itself: a session is given only to
    an origin in `allowed_origins`. An empty list allows none.
    """

    assistant = TenantForeignKey(Assistant, models.CASCADE, related_name="widgets")
    public_key = models.CharField(max_length=32, unique=True, default=_public_key)
    is_enabled = models.BooleanField(default=True)
    allowed_origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    theme = models.JSONField(default=dict)
    messages_per_minute = models.PositiveSmallIntegerField(default=10)
    messages_per_day = models.PositiveIntegerField(default=200)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "assistant"], name="widget_one"),
        ]

    def __str__(self) -> str:
        return f"widget {self.public_key}"


class WidgetVisitor(TenantModel):
    """Somebody who chats on a site, known only by a random token whose hash is kept here."""

    widget = TenantForeignKey(Widget, models.CASCADE, related_name="visitors")
    token_hash = models.CharField(max_length=64, unique=True)
    origin = models.CharField(max_length=200)
    last_seen_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"visitor {self.id}"
