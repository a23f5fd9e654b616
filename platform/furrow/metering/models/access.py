"""Which models a business may use."""

from django.db import models

from furrow.core.models import TenantModel


class ModelRule(TenantModel):
    """The operator's word on one chat model for one business; "*" is for all without a rule of their own, and
    without that they are allowed. `metering_hold_open` reads it before each call.
    """

    model = models.CharField(max_length=160)
    is_allowed = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "model"], name="model_rule_once"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {'allowed' if self.is_allowed else 'withheld'}"
