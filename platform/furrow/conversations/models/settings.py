"""What a business sets for its inbox: ready replies, and what the assistant may do alone."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from furrow.core.models import TenantModel


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
