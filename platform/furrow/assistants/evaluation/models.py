"""Golden questions, the runs that ask them, what came of each, and the wish to publish that waits for one."""

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from furrow.core.models import TenantForeignKey, TenantModel


class GoldenQuestion(TenantModel):
    """A question with what its answer must be, judged without a model.

    `facts` is a list of lists: one wording of each inner list must stand in the answer. `history` holds what was
    asked before it in the chat it was taken from, as `{"question", "answer", "rung"}`.
    """

    class Expects(models.TextChoices):
        ANSWER = "answer", _("An answer")
        REFUSAL = "refusal", _("That it does not know")
        HANDOVER = "handover", _("A hand-over to a person")

    class Origin(models.TextChoices):
        WRITTEN = "written", _("written")
        IMPORTED = "imported", _("imported")
        CHAT = "chat", _("from a chat")

    assistant = TenantForeignKey(
        "assistants.Assistant", models.CASCADE, related_name="golden_questions"
    )
    question = models.CharField(max_length=500)
    folded = models.CharField(max_length=500)
    history = models.JSONField(default=list)
    expects = models.CharField(max_length=10, choices=Expects.choices, default=Expects.ANSWER)
    facts = models.JSONField(default=list)
    forbidden = ArrayField(models.CharField(max_length=200), default=list)
    document = TenantForeignKey("knowledge.Document", models.SET_NULL, null=True, related_name="+")
    page = models.PositiveIntegerField(null=True)
    rung = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=300, blank=True)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.WRITTEN)
    is_enabled = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "assistant", "folded"], name="golden_once"),
        ]

    def __str__(self) -> str:
        return self.question


class EvaluationRun(TenantModel):
    """One asking of a set of questions by one configuration, or by two beside each other.

    `config` is what was asked, `base_config` what it is compared with (None: nothing). Both are frozen when the run
    is made, as are the questions, which stand in its results.
    """

    class Kind(models.TextChoices):
        PUBLISH = "publish", _("Before publishing")
        COMPARE = "compare", _("Comparison")
        NIGHTLY = "nightly", _("Nightly")
        MANUAL = "manual", _("By hand")
        REPAIR = "repair", _("Repair")
        GAPS = "gaps", _("Gaps")

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    assistant = TenantForeignKey(
        "assistants.Assistant", models.CASCADE, related_name="evaluation_runs"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    config = models.JSONField()
    version_number = models.PositiveIntegerField(null=True)
    base_config = models.JSONField(null=True)
    base_version_number = models.PositiveIntegerField(null=True)
    # What a repair run tries again: a turn or a result.
    about_id = models.UUIDField(null=True)
    # Per side: how many passed and failed, cost, latency. Written once, when the run is done.
    summary = models.JSONField(default=dict)
    error_code = models.CharField(max_length=60, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "assistant", "-created_at"], name="evaluation_recent"),
            models.Index(fields=["tenant", "about_id"], name="evaluation_about"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} run ({self.state})"

    @property
    def is_active(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}


class EvaluationResult(TenantModel):
    """A question of a run, answered by one side. Made empty with the run; `is_done` says that it was asked.

    `expectation` is what was expected when the run was made. `checks` explains the verdict, one line a check;
    `is_passed` is None where nothing was expected.
    """

    class Side(models.TextChoices):
        CANDIDATE = "candidate"
        BASE = "base"

    run = TenantForeignKey(EvaluationRun, models.CASCADE, related_name="results")
    golden = TenantForeignKey(GoldenQuestion, models.SET_NULL, null=True, related_name="results")
    gap = TenantForeignKey("assistants.Gap", models.SET_NULL, null=True, related_name="+")
    side = models.CharField(max_length=10, choices=Side.choices, default=Side.CANDIDATE)
    position = models.PositiveIntegerField()
    question = models.CharField(max_length=2000)
    history = models.JSONField(default=list)
    expectation = models.JSONField(default=dict)
    is_done = models.BooleanField(default=False)
    is_passed = models.BooleanField(null=True)
    checks = models.JSONField(default=list)
    rung = models.CharField(max_length=40, blank=True)
    answer = models.TextField(blank=True)
    citations = models.JSONField(default=list)
    trace = models.JSONField(default=list)
    usage = models.JSONField(default=dict)
    cost_amount = models.DecimalField(max_digits=28, decimal_places=12, default=Decimal(0))
    cost_currency = models.CharField(max_length=3, default="CNY")
    duration_ms = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "run", "side", "position"], name="evaluation_result_once"
            ),
        ]

    def __str__(self) -> str:
        return f"result {self.position} ({self.side})"


class PublicationCheck(TenantModel):
    """Somebody wants to publish, and the golden questions are asked first. The run's `config` is what is published."""

    class State(models.TextChoices):
        CHECKING = "checking"
        BLOCKED = "blocked"
        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"

    assistant = TenantForeignKey("assistants.Assistant", models.CASCADE, related_name="+")
    run = TenantForeignKey(EvaluationRun, models.CASCADE, related_name="publication_checks")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CHECKING)
    note = models.CharField(max_length=300, blank=True)
    actor = models.JSONField(default=dict)
    override_reason = models.CharField(max_length=500, blank=True)
    version = TenantForeignKey(
        "assistants.AssistantVersion", models.SET_NULL, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "assistant"],
                condition=Q(state__in=["checking", "blocked"]),
                name="publication_check_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"publication check ({self.state})"
