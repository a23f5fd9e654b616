"""The widget, where visitors meet an assistant; and news, which go out by e-mail and webhook."""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

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


class News(TenantModel):
    """Something to tell, once: `subject_id` is the budget notice, invoice or ticket it is about."""

    event = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    facts = models.JSONField(default=dict)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "event", "subject_id"], name="news_told_once"
            ),
        ]

    def __str__(self) -> str:
        return self.event


class WebhookEndpoint(TenantModel):
    """An address of the business's own programs. Its secret is derived from `secret_number`, never stored."""

    url = models.CharField(max_length=500)
    events = ArrayField(models.CharField(max_length=40))
    is_enabled = models.BooleanField(default=True)
    secret_number = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"webhook {self.id}"


class WebhookDelivery(TenantModel):
    """One message to one endpoint. `body` is kept as it was written, so that every attempt sends the same."""

    class State(models.TextChoices):
        WAITING = "waiting", _("On its way")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    endpoint = TenantForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_status = models.PositiveSmallIntegerField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    attempted_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-created_at"], name="webhook_recent")]

    def __str__(self) -> str:
        return f"{self.event} ({self.state})"
