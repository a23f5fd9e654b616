"""What is said: conversations, questions with their answers, and what visitors thought of them."""

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
        REST = "rest", _("Own program")
        WECHAT = "wechat", "WeChat"
        EMAIL = "email", _("E-mail")

    assistant = TenantForeignKey(Assistant, models.CASCADE, related_name="conversations")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    visitor_id = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=10, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.BOT)
    is_test = models.BooleanField(default=False)
    last_turn_at = models.DateTimeField(auto_now_add=True)
    # The one member who may write to the visitor; set exactly while the state is HUMAN.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    # Since when the visitor waits for a word from a person; None when the last word was ours.
    waiting_since = models.DateTimeField(null=True)
    # What the visitor's last message was about and how it was said, by `signals`.
    topic = models.CharField(max_length=20, blank=True, db_default="")
    mood = models.CharField(max_length=10, blank=True, db_default="")
    is_urgent = models.BooleanField(default=False, db_default=False)
    csat_asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(owner=None) | models.Q(state__in=["human", "closed"]),
                name="conversation_owner_speaks",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "waiting_since"],
                condition=models.Q(waiting_since__isnull=False),
                name="conversation_queue",
            ),
            models.Index(
                fields=["tenant", "waiting_since"],
                condition=models.Q(state__in=["waiting", "human"])
                | models.Q(waiting_since__isnull=False),
                name="conversation_live",
            ),
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

    @property
    def suggestions(self) -> list[str]:
        """Approved questions that were offered beside the answer ("did you mean"), the nearest first."""
        return list(self.trace[-1].get("suggested", [])) if self.trace else []


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


class Csat(TenantModel):
    """How a visitor felt at the end: 1 unhappy, 2 so-so, 3 happy."""

    conversation = TenantForeignKey(Conversation, models.CASCADE, related_name="csat")
    score = models.PositiveSmallIntegerField()
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "conversation"], name="csat_once"),
            models.CheckConstraint(condition=models.Q(score__in=[1, 2, 3]), name="csat_score"),
        ]

    def __str__(self) -> str:
        return f"{self.score} of 3"
