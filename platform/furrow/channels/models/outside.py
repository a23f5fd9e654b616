"""Channels that are not ours: another program's users, WeChat customers, writers of e-mail."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from furrow.assistants.models import Assistant
from furrow.channels.models.widget import public_key
from furrow.conversations.models import Turn
from furrow.core.models import TenantForeignKey, TenantModel


class Connection(TenantModel):
    """One account elsewhere that an assistant answers for. `settings` may be shown, `sealed` holds its secrets,
    encrypted. `cursor` is how far its messages were read; `public_key` names it in addresses that others call.
    """

    class Kind(models.TextChoices):
        REST = "rest", _("Your own program")
        WECHAT = "wechat", _("WeChat customer service")
        EMAIL = "email", _("E-mail")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=80)
    assistant = TenantForeignKey(Assistant, models.CASCADE, related_name="connections")
    public_key = models.CharField(max_length=32, unique=True, default=public_key)
    is_enabled = models.BooleanField(default=True)
    settings = models.JSONField(default=dict)
    sealed = models.TextField(blank=True)
    cursor = models.CharField(max_length=200, blank=True)
    checked_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class OutsideUser(TenantModel):
    """Who writes over a connection, by the name that the other side has for them."""

    connection = TenantForeignKey(Connection, models.CASCADE, related_name="users")
    external_id = models.CharField(max_length=200)
    name = models.CharField(max_length=120, blank=True)
    last_inbound_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection", "external_id"], name="outside_user_once"
            ),
        ]

    def __str__(self) -> str:
        return f"outside user {self.id}"


class InboundMessage(TenantModel):
    """A message that came in. Its `external_id` makes a repetition known; `context` is what a reply must name. It is
    open until what answers it was written.
    """

    connection = TenantForeignKey(Connection, models.CASCADE, related_name="inbound")
    user = TenantForeignKey(OutsideUser, models.CASCADE, related_name="inbound")
    external_id = models.CharField(max_length=250)
    turn = TenantForeignKey(Turn, models.CASCADE, null=True, related_name="inbound")
    context = models.JSONField(default=dict)
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "connection", "external_id"], name="inbound_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=models.Q(is_open=True), name="inbound_open"
            ),
        ]

    def __str__(self) -> str:
        return f"inbound {self.id}"


class OutboundMessage(TenantModel):
    """What goes back, once for each `source`: `turn:<id>` or `staff:<id>`. `held` waits until the other side may be
    written to again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("On its way")
        SENT = "sent", _("Delivered")
        HELD = "held", _("Waits for the customer")
        FAILED = "failed", _("Failed")

    connection = TenantForeignKey(Connection, models.CASCADE, related_name="outbound")
    user = TenantForeignKey(OutsideUser, models.CASCADE, related_name="outbound")
    number = models.BigIntegerField()
    source = models.CharField(max_length=60)
    author = models.CharField(max_length=10)
    text = models.TextField()
    context = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    external_id = models.CharField(max_length=250, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "source"], name="outbound_once"),
            models.UniqueConstraint(
                fields=["tenant", "connection", "number"], name="outbound_number_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="outbound_recent"),
            models.Index(fields=["tenant", "user", "state"], name="outbound_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.source} ({self.state})"
