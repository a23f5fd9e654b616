"""The widget, where visitors meet an assistant on the business's own site."""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from furrow.assistants.models import Assistant
from furrow.conversations.models import Conversation, Turn
from furrow.core.models import TenantForeignKey, TenantModel


def public_key() -> str:
    return secrets.token_urlsafe(12)


class Widget(TenantModel):
    """`public_key` stands in the page of the site and opens nothing by itself: a session is given only to
    an origin in `allowed_origins`. An empty list allows none. With `identity` the site says, signed, who its visitor
    is; the secret for that is derived from `identity_number`, never stored.
    """

    class Identity(models.TextChoices):
        OFF = "off", _("Not used")
        OPTIONAL = "optional", _("Used when the site sends it")
        REQUIRED = "required", _("Required")

    assistant = TenantForeignKey(Assistant, models.CASCADE, related_name="widgets")
    public_key = models.CharField(max_length=32, unique=True, default=public_key)
    is_enabled = models.BooleanField(default=True)
    allowed_origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    theme = models.JSONField(default=dict)
    messages_per_minute = models.PositiveSmallIntegerField(default=10)
    messages_per_day = models.PositiveIntegerField(default=200)
    identity = models.CharField(
        max_length=10, choices=Identity.choices, default=Identity.OFF, db_default=Identity.OFF
    )
    identity_number = models.PositiveIntegerField(default=1, db_default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "assistant"], name="widget_one"),
        ]

    def __str__(self) -> str:
        return f"widget {self.public_key}"


class WidgetVisitor(TenantModel):
    """Somebody who chats on a site, known by a random token whose hash is kept here. `customer_id` is what the site
    vouched for: then every browser of that customer is one visitor.
    """

    widget = TenantForeignKey(Widget, models.CASCADE, related_name="visitors")
    token_hash = models.CharField(max_length=64, unique=True)
    origin = models.CharField(max_length=200)
    customer_id = models.CharField(max_length=100, blank=True, db_default="")
    customer_name = models.CharField(max_length=120, blank=True, db_default="")
    last_seen_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "widget", "customer_id"],
                condition=~models.Q(customer_id=""),
                name="visitor_customer_once",
            ),
        ]

    def __str__(self) -> str:
        return f"visitor {self.id}"


class Photo(TenantModel):
    """A picture that came with a message, from the widget or another channel. `turn` is empty until it is sent.
    `dhash`, `taken` and `software` are what `knowledge.parsing.apart.PhotoFacts` says.
    """

    conversation = TenantForeignKey(Conversation, models.CASCADE, related_name="photos")
    turn = TenantForeignKey(Turn, models.CASCADE, null=True, related_name="photos")
    file_key = models.CharField(max_length=200)
    content_type = models.CharField(max_length=40)
    size_bytes = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    dhash = models.CharField(max_length=16)
    taken = models.CharField(max_length=200, blank=True)
    software = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "conversation"], name="photo_of_conversation"),
            models.Index(fields=["tenant", "sha256"], name="photo_same"),
        ]

    def __str__(self) -> str:
        return f"photo {self.id}"


class Transcript(TenantModel):
    """A visitor's wish to have the conversation by e-mail. The address is forgotten once the mail is out."""

    conversation = TenantForeignKey(Conversation, models.CASCADE, related_name="transcripts")
    address = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=10)
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"transcript {self.id}"
