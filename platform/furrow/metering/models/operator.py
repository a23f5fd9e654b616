"""What the operator enters. No tenant's, so only the maintenance role reads it."""

import uuid

from django.db import models
from django.db.models.functions import Now


class MachinePrice(models.Model):
    """What an hour of a machine costs from `valid_from` until the next row of its name; 0 when it is gone."""

    is_operator_only = True
    changeable: tuple[str, ...] = ()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    machine = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    per_hour = models.DecimalField(max_digits=18, decimal_places=6)
    valid_from = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["machine", "currency", "valid_from"], name="machine_price_once"
            ),
            models.CheckConstraint(
                condition=models.Q(per_hour__gte=0), name="machine_price_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.machine} {self.per_hour}"
