"""A review of a version: what was looked for, what was found, and what people decided about it."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.contracts.models.contracts import Contract, ContractVersion, Level, Side
from apps.contracts.models.playbooks import PlaybookVersion
from furrow.core.models import TenantForeignKey, TenantModel


class Strength(models.TextChoices):
    RISK = "risk", _("High risks only")
    BALANCED = "balanced", _("Balanced")
    FULL = "full", _("Everything in our favour")


class ReviewRun(TenantModel):
    """`rules` are the rules as they were when it began. `stages` notes each step that is done, so that another
    worker takes up where the first one died.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Under review")
        DONE = "done", _("Reviewed")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    ACTIVE = (State.QUEUED, State.RUNNING)

    version = TenantForeignKey(ContractVersion, models.CASCADE, related_name="runs")
    playbook_version = TenantForeignKey(
        PlaybookVersion, models.SET_NULL, null=True, related_name="runs"
    )
    side = models.CharField(max_length=8, choices=Side.choices, default=Side.NEUTRAL)
    strength = models.CharField(max_length=8, choices=Strength.choices, default=Strength.BALANCED)
    rules = models.JSONField(default=list)
    with_checks = models.BooleanField(default=True)
    # Whether rules that words alone cannot settle are put to the language model, and who pays for it.
    with_model = models.BooleanField(default=False, db_default=False)
    payer = models.JSONField(default=dict, db_default={})
    usage = models.JSONField(default=dict, db_default={})
    cost_amount = models.DecimalField(
        max_digits=28, decimal_places=12, default=Decimal(0), db_default=0
    )
    cost_currency = models.CharField(max_length=3, blank=True, db_default="")
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    stages = models.JSONField(default=dict)
    dropped = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "version", "-created_at"], name="contracts_run_recent"),
        ]

    def __str__(self) -> str:
        return f"review {self.id} ({self.state})"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE


class Finding(TenantModel):
    """`quote` is the version's text between `start` and `end`, character by character; both are 0 and the quote
    empty where something is missing, and `anchor` is then the paragraph it should come after. A passed item is
    a finding too, so that people can say whether passing was right. `span_key` is the quote's own name within
    its contract: decisions hang on it and on the rule, not on this row.
    """

    run = TenantForeignKey(ReviewRun, models.CASCADE, related_name="findings")
    rule = models.CharField(max_length=60)
    source = models.CharField(max_length=12)
    level = models.CharField(max_length=6, choices=Level.choices)
    is_passed = models.BooleanField(default=False)
    start = models.PositiveIntegerField(default=0)
    end = models.PositiveIntegerField(default=0)
    quote = models.TextField(blank=True)
    page = models.PositiveIntegerField(null=True)
    paragraph = models.PositiveIntegerField(null=True)
    anchor = models.PositiveIntegerField(null=True)
    clause = models.CharField(max_length=120, blank=True)
    span_key = models.CharField(max_length=64)
    words = models.JSONField(default=dict)
    statutes = models.JSONField(default=list)
    replacement = models.TextField(null=True)  # noqa: DJ001  empty means: strike it out
    confidence = models.FloatField(default=0.9)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "rule", "start", "end"], name="contracts_finding_once"
            ),
        ]

    def __str__(self) -> str:
        return self.rule


class Decision(TenantModel):
    """What people said of a rule's finding at a span, and who is to look at it. It outlives the run, and the
    version while the words of the span stay.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ACCEPTED = "accepted", _("Accepted")
        EDITED = "edited", _("Edited")
        REJECTED = "rejected", _("Rejected")

    class Feedback(models.TextChoices):
        RIGHT = "right", _("Right")
        WRONG = "wrong", _("Wrong")

    contract = TenantForeignKey(Contract, models.CASCADE, related_name="decisions")
    rule = models.CharField(max_length=60)
    span_key = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    text = models.TextField(blank=True)
    comment = models.TextField(blank=True)
    feedback = models.CharField(max_length=5, choices=Feedback.choices, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "contract", "rule", "span_key"], name="contracts_decision_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "assignee"],
                condition=models.Q(assignee__isnull=False),
                name="contracts_decision_assignee",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.state}"
