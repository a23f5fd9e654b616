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


class Message(TenantModel):
    """What a member wrote into a conversation. `number` orders the messages of a conversation and is what a reader
    resumes after; `after_turn` is the last question when it was written, so that both sides read one order.
    """

    class Kind(models.TextChoices):
        STAFF = "staff", _("Reply")
        NOTE = "note", _("Note")

    conversation = TenantForeignKey(Conversation, models.CASCADE, related_name="messages")
    number = models.PositiveIntegerField()
    after_turn = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.TextField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    author_name = models.CharField(max_length=120, blank=True)
    # Chosen by the writer's form: the same form sent twice is one message.
    key = models.CharField(max_length=64, blank=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "conversation", "number"], name="message_number_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "conversation", "key"],
                condition=~models.Q(key=""),
                name="message_key_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class Draft(TenantModel):
    """An answer of the assistant that waits for a member's word before the visitor sees it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        DROPPED = "dropped", _("Dropped")

    turn = TenantForeignKey(Turn, models.CASCADE, related_name="drafts")
    conversation = TenantForeignKey(Conversation, models.CASCADE, related_name="drafts")
    text = models.TextField()
    rung = models.CharField(max_length=40)
    citations = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    is_edited = models.BooleanField(default=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "turn"], name="draft_once")]
        indexes = [
            models.Index(
                fields=["tenant", "conversation"],
                condition=models.Q(state="waiting"),
                name="draft_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"draft ({self.state})"


class Handoff(TenantModel):
    """One time that a person was needed: from the wish to the end of the person's work. `promised_at` is when
    the visitor was told that somebody would be there.
    """

    conversation = TenantForeignKey(Conversation, models.CASCADE, related_name="handoffs")
    reason = models.CharField(max_length=40)
    promised_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    first_reply_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "conversation"],
                condition=models.Q(ended_at=None),
                name="handoff_one_open",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-created_at"], name="handoff_recent")]

    def __str__(self) -> str:
        return f"handoff ({self.reason})"


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


class CannedReply(TenantModel):
    """A text that staff send often, with `{variables}`. At least one language is filled."""

    title = models.CharField(max_length=60)
    text_zh = models.TextField(blank=True)
    text_en = models.TextField(blank=True)
    used_count = models.PositiveIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "title"],
                condition=models.Q(deleted_at=None),
                name="canned_title_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class TopicMode(TenantModel):
    """What the assistant may do by itself with a topic. No row means `send`."""

    class Mode(models.TextChoices):
        SEND = "send", _("Answers at once")
        DRAFT = "draft", _("Writes a draft")
        OFF = "off", _("Leaves it to people")

    topic = models.CharField(max_length=20)
    mode = models.CharField(max_length=10, choices=Mode.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "topic"], name="topic_mode_once"),
        ]

    def __str__(self) -> str:
        return f"{self.topic}: {self.mode}"


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
