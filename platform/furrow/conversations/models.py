"""Conversations, their turns, feedback and tickets."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from furrow.assistants.models import Assistant, AssistantVersion
from furrow.core.models import TenantForeignKey, TenantModel


class Conversation(TenantModel):
    """`visitor_id` names a widget visitor; test chats of the dashboard never reach the owner's figures."""

    class State(models.TextChoices):
        BOT = "bot", _("Assistant")
        WAITING = "waiting", _("Waiting for a person")
        HUMAN = "human", _("With a person")
        CLOSED = "closed", _("Closed")

    class Channel(models.TextChoices):
        API = "api", "API"
        DASHBOARD = "dashboard", _("Dashboard")
        WIDGET = "widget", _("Widget")

    assistant = TenantForeignKey(Assistant, models.CASCADE, related_name="conversations")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    visitor_id = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.BOT)
    is_test = models.BooleanField(default=False)
    last_turn_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-last_turn_at"], name="conversation_recent"),
            models.Index(fields=["tenant", "visitor_id"], name="conversation_visitor"),
            models.Index(fields=["tenant", "created_at"], name="conversation_begun"),
        ]

    def __str__(self) -> str:
        return f"conversation {self.id}"


class Turn(TenantModel):
    """A question and its answer. `trace` says which rung spoke and why the others did not."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    conversation = TenantForeignKey(Conversation, models.CASCADE, related_name="turns")
    # None answers from the draft, for the dashboard's live test.
    assistant_version = TenantForeignKey(
        AssistantVersion, models.SET_NULL, null=True, related_name="+"
    )
    number = models.PositiveIntegerField()
    text = models.TextField()
    # Who asked, as far as the conversation does not say: the API key or the member whose budget counts.
    payer = models.JSONField(default=dict, db_default={})
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    rung = models.CharField(max_length=40, blank=True)
    answer = models.TextField(blank=True)
    citations = models.JSONField(default=list)
    usage = models.JSONField(default=dict)
    cost_amount = models.DecimalField(max_digits=28, decimal_places=12, default=Decimal(0))
    cost_currency = models.CharField(max_length=3, default="CNY")
    trace = models.JSONField(default=list)
    error_code = models.CharField(max_length=60, blank=True)
    duration_ms = models.PositiveIntegerField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "conversation", "number"], name="turn_number_once"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at"], name="turn_recent")]

    def __str__(self) -> str:
        return f"turn {self.number}"


class Feedback(TenantModel):
    turn = TenantForeignKey(Turn, models.CASCADE, related_name="feedback")
    value = models.SmallIntegerField()
    comment = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "turn"], name="feedback_once"),
            models.CheckConstraint(condition=models.Q(value__in=[-1, 1]), name="feedback_value"),
        ]

    def __str__(self) -> str:
        return f"{self.value:+d}"


class Ticket(TenantModel):
    """A request for a person. The transcript is the conversation; `contact` is how to reach the visitor."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLOSED = "closed", _("Closed")

    conversation = TenantForeignKey(Conversation, models.CASCADE, related_name="tickets")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=40, default="asked")
    contact = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    resolution = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="ticket_number_once"),
            models.UniqueConstraint(
                fields=["tenant", "conversation"],
                condition=models.Q(state="open"),
                name="ticket_one_open",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-created_at"], name="ticket_recent")]

    def __str__(self) -> str:
        return f"ticket {self.number}"


class HourDue(TenantModel):
    """An hour whose figures must be made again. Triggers add it with every change that can move one, also a late
    one: an opinion counts in the hour of its question and in the hour its conversation began.
    """

    tenant = models.ForeignKey(
        "tenants.Tenant", models.CASCADE, related_name="+", editable=False, db_index=False
    )
    hour = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "hour"], name="hour_due")]

    def __str__(self) -> str:
        return str(self.hour)


class TurnHour(TenantModel):
    """The questions of an hour by the rung that answered. Test chats count in `written` only, because they cost
    too.
    """

    tenant = models.ForeignKey(
        "tenants.Tenant", models.CASCADE, related_name="+", editable=False, db_index=False
    )
    hour = models.DateTimeField()
    rung = models.CharField(max_length=40, blank=True)
    questions = models.BigIntegerField()
    answered = models.BigIntegerField()
    solved = models.BigIntegerField()
    written = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour", "rung"], name="turn_hour_once"),
        ]

    def __str__(self) -> str:
        return f"{self.hour} {self.rung}"


class ConversationHour(TenantModel):
    """The conversations that began in an hour, without test chats."""

    tenant = models.ForeignKey(
        "tenants.Tenant", models.CASCADE, related_name="+", editable=False, db_index=False
    )
    hour = models.DateTimeField()
    begun = models.BigIntegerField()
    resolved = models.BigIntegerField()
    confirmed = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour"], name="conversation_hour_once"),
        ]

    def __str__(self) -> str:
        return str(self.hour)
