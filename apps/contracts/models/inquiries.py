"""A question over contracts, and what each of them answers for itself."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.contracts.models.contracts import Contract, ContractVersion
from furrow.core.models import TenantForeignKey, TenantModel


class Inquiry(TenantModel):
    """`scope` holds the ids of the contracts that were chosen; empty means all. `others` counts the contracts that
    were looked at and say nothing of it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Reading")
        DONE = "done", _("Answered")
        FAILED = "failed", _("Failed")

    text = models.CharField(max_length=500)
    scope = models.JSONField(default=list)
    with_model = models.BooleanField(default=False)
    state = models.CharField(max_length=7, choices=State.choices, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    others = models.PositiveIntegerField(default=0)
    dropped = models.PositiveIntegerField(default=0)
    # Why the model did not write, where it was to: "budget" or "unavailable".
    note = models.CharField(max_length=20, blank=True)
    payer = models.JSONField(default=dict)
    cost_amount = models.DecimalField(max_digits=28, decimal_places=12, default=Decimal(0))
    cost_currency = models.CharField(max_length=3, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name_plural = "inquiries"
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="contracts_inquiry_recent"),
        ]

    def __str__(self) -> str:
        return f"inquiry {self.id} ({self.state})"

    @property
    def is_active(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}


class InquiryAnswer(TenantModel):
    """What one contract says. Each of `lines` has the quote of this very version with its place, and the words that a
    model wrote of it, if any; words without a quote are never kept. `alike` are the ids of contracts that read nearly
    the same, so that nobody takes one for the other. It goes when the contract goes.
    """

    inquiry = TenantForeignKey(Inquiry, models.CASCADE, related_name="answers")
    contract = TenantForeignKey(Contract, models.CASCADE, related_name="+")
    version = TenantForeignKey(ContractVersion, models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=12)
    lines = models.JSONField(default=list)
    alike = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "inquiry", "contract"], name="contracts_answer_once"
            ),
        ]

    def __str__(self) -> str:
        return f"answer {self.position}"
