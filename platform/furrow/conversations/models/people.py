"""When a person is needed: tickets, what members write, and drafts that wait for their word."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from furrow.conversations.models.talk import Conversation, Turn
from furrow.core.models import TenantForeignKey, TenantModel


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
