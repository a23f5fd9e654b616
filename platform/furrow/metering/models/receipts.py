"""What the model servers say they did. Receipts name no tenant, so only the maintenance role reads them."""

import uuid

from django.db import models
from django.db.models.functions import Now

from furrow.metering.models.base import amount_field


class ReceiptSource(models.Model):
    """How far a server's receipts were fetched. `missing` counts numbers that never came, of which somebody has
    looked into `missing_known`. `summed_tokens` are those of the present run up to `summed_seq`.
    """

    is_operator_only = True

    name = models.CharField(max_length=40, primary_key=True)
    boot_id = models.CharField(max_length=64, blank=True)
    cursor = models.BigIntegerField(default=0)
    last_seq = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    missing_known = models.BigIntegerField(default=0)
    summed_boot = models.CharField(max_length=64, blank=True)
    summed_seq = models.BigIntegerField(default=0)
    summed_tokens = models.BigIntegerField(default=0)
    pulled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Receipt(models.Model):
    """One line of a server's receipts, as it came."""

    is_operator_only = True
    changeable: tuple[str, ...] = ()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=40)
    boot_id = models.CharField(max_length=64)
    seq = models.BigIntegerField()
    request_id = models.CharField(max_length=128)
    kind = models.CharField(max_length=20)
    in_hit = models.BigIntegerField()
    in_miss = models.BigIntegerField()
    out = models.BigIntegerField()
    reasoning = models.BigIntegerField()
    busy_us = models.BigIntegerField()
    finish_reason = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "boot_id", "seq"], name="receipt_once"),
            models.CheckConstraint(
                condition=models.Q(in_hit__gte=0, in_miss__gte=0, out__gte=0, reasoning__gte=0),
                name="receipt_not_negative",
            ),
        ]
        indexes = [
            models.Index(fields=["request_id"], name="receipt_of_request"),
            models.Index(fields=["source", "created_at"], name="receipt_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.boot_id}/{self.seq}"


class Reconciliation(models.Model):
    """One comparison of what server, receipts, events and balances say: of everything, or of the last hours."""

    is_operator_only = True
    changeable: tuple[str, ...] = ()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=40)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    engine_tokens = models.BigIntegerField(null=True)
    receipt_tokens = models.BigIntegerField()
    event_tokens = models.BigIntegerField()
    balance_difference = amount_field()
    held_difference = amount_field()
    missing_receipts = models.BigIntegerField()
    foreign_receipts = models.BigIntegerField()
    overdue_holds = models.BigIntegerField()
    free_events = models.BigIntegerField()
    is_full = models.BooleanField(default=True)
    is_clean = models.BooleanField()

    class Meta:
        indexes = [models.Index(fields=["source", "-created_at"], name="reconciliation_recent")]

    def __str__(self) -> str:
        return f"{self.source} {'clean' if self.is_clean else 'differs'}"


class Alarm(models.Model):
    """Something that must not be, until the operator says that it was looked into. The same again, unchanged, is
    no new alarm; `times` counts how often it was seen.
    """

    is_operator_only = True
    changeable = ("amount", "times", "last_seen_at", "acknowledged_at", "acknowledged_by", "note")

    class Kind(models.TextChoices):
        ENGINE = "engine", "the server counted other tokens than its receipts say"
        TOKENS = "tokens", "receipts and events say different tokens"
        RECEIPTS = "receipts", "receipts are missing"
        BALANCES = "balances", "balances differ from the ledger"
        HOLDS = "holds", "money is held longer than it may be"
        FREE = "free", "tokens were used that cost nothing"
        FIGURES = "figures", "hours of conversations differ from their rows"
        HOURS = "hours", "hours could not be summed up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    source = models.CharField(max_length=40)
    amount = amount_field()
    times = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_seen_at = models.DateTimeField(db_default=Now())
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source"],
                condition=models.Q(acknowledged_at=None),
                name="alarm_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.source}"
