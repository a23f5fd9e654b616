"""News, which go out by e-mail and webhook."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from furrow.core.models import TenantForeignKey, TenantModel


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
