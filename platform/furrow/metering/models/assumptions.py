"""What an owner supposes when comparing the assistant with people."""

from decimal import Decimal

from django.db import models

from furrow.core.models import TenantModel
from furrow.metering.models.base import amount_field


class Assumptions(TenantModel):
    """One row for each business. `solved_percent` None means: as measured."""

    minutes_per_chat = models.DecimalField(max_digits=6, decimal_places=1, default=Decimal(5))
    wage_per_hour = amount_field(default=Decimal(30))
    solved_percent = models.PositiveSmallIntegerField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="assumptions_once"),
            models.CheckConstraint(
                condition=models.Q(minutes_per_chat__gt=0, wage_per_hour__gte=0)
                & (models.Q(solved_percent=None) | models.Q(solved_percent__lte=100)),
                name="assumptions_possible",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.minutes_per_chat} min, {self.wage_per_hour} an hour"
