"""Assistants, their published versions, approved answers and knowledge gaps."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from furrow.assistants.evaluation.models import (
    EvaluationResult,
    EvaluationRun,
    GoldenQuestion,
    PublicationCheck,
)
from furrow.core.models import TenantForeignKey, TenantModel
from furrow.knowledge.models import Document, KnowledgeBase

__all__ = [
    "DEFAULT_RUNGS",
    "ApprovedAnswer",
    "Assistant",
    "AssistantKnowledgeBase",
    "AssistantVersion",
    "EvaluationResult",
    "EvaluationRun",
    "Gap",
    "GoldenQuestion",
    "PublicationCheck",
]

DEFAULT_RUNGS = ["greeting", "approved", "fact", "composed", "quoted", "human"]


class Assistant(TenantModel):
    """The draft is this row; visitors get `published`. `settings` holds thresholds, greeting, suggestions."""

    name = models.CharField(max_length=120)
    template = models.CharField(max_length=40, default="general")
    instructions = models.TextField(blank=True)
    rungs = ArrayField(models.CharField(max_length=40), default=list)
    settings = models.JSONField(default=dict)
    knowledge_bases = models.ManyToManyField(
        KnowledgeBase, through="AssistantKnowledgeBase", related_name="assistants"
    )
    published = TenantForeignKey("AssistantVersion", models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class AssistantKnowledgeBase(TenantModel):
    assistant = TenantForeignKey(Assistant, models.CASCADE, related_name="+")
    knowledge_base = TenantForeignKey(KnowledgeBase, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "assistant", "knowledge_base"], name="assistant_base_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assistant_id} reads {self.knowledge_base_id}"


class AssistantVersion(TenantModel):
    """A frozen copy of an assistant's configuration; publishing an old one again rolls back."""

    assistant = TenantForeignKey(Assistant, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    config = models.JSONField()
    note = models.CharField(max_length=300, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "assistant", "number"], name="assistant_version_once"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class ApprovedAnswer(TenantModel):
    """An answer the owner wrote or approved, given word for word when a question matches closely enough. With
    `pinned_document` it is a passage of that document, cited from it for as long as it stands there.
    """

    assistant = TenantForeignKey(Assistant, models.CASCADE, related_name="approved_answers")
    question = models.CharField(max_length=500)
    variants = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    answer = models.TextField()
    # Goes with its document: without a source the passage would stand there as the owner's own words.
    pinned_document = TenantForeignKey(Document, models.CASCADE, null=True, related_name="+")
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    is_enabled = models.BooleanField(default=True)
    used_count = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.question


class Gap(TenantModel):
    """A question the assistant could not answer. Asking it again in the same words counts it up; in near-identical
    words it shares the line of the first one, its `head` (None: it is a head itself).
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")
        DISMISSED = "dismissed", _("Dismissed")

    assistant = TenantForeignKey(Assistant, models.CASCADE, related_name="gaps")
    question = models.CharField(max_length=500)
    folded = models.CharField(max_length=500)
    head = TenantForeignKey("self", models.SET_NULL, null=True, related_name="members")
    asked_count = models.PositiveIntegerField(default=1)
    last_asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    approved_answer = TenantForeignKey(ApprovedAnswer, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "assistant", "folded"], name="gap_once"),
        ]

    def __str__(self) -> str:
        return self.question
