"""The operator's price book. One for all tenants, so it is under no tenant's row-level security."""

import uuid

from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models.functions import Now

ANY_MODEL = "*"


class PriceWindow(models.Model):
    """Hours of the day with prices of their own, e.g. peak hours. `spans` are ["HH:MM", "HH:MM"] pairs in
    `timezone`, the end excluded; a span may cross midnight.
    """

    changeable: tuple[str, ...] = ()

    name = models.CharField(max_length=40, primary_key=True)
    timezone = models.CharField(max_length=60, default="UTC")
    spans = models.JSONField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.name


class PriceItem(models.Model):
    """What a million tokens of a kind cost while `valid`. Ranges of one key cannot overlap, past ones cannot
    change; `metering_price_close` is the only way to end one, and only at a moment still to come.
    """

    changeable: tuple[str, ...] = ()
    app_functions = ("metering_price_close(uuid, timestamptz)",)

    class Kind(models.TextChoices):
        IN_HIT = "in_hit"
        IN_MISS = "in_miss"
        OUT = "out"
        REASONING = "reasoning"
        EMBED = "embed"
        RERANK = "rerank"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.CharField(max_length=160)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    currency = models.CharField(max_length=3)
    # The name of a PriceWindow, empty for the whole day.
    window = models.CharField(max_length=40, blank=True)
    per_million = models.DecimalField(max_digits=18, decimal_places=9)
    valid = DateTimeRangeField()
    book_version = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(per_million__gte=0), name="price_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["currency", "model"], name="price_of_model")]

    def __str__(self) -> str:
        return f"{self.model} {self.kind} {self.per_million} {self.currency}"
