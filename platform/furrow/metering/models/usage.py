"""What was used: events, which are the truth, and the hours computed from them."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from furrow.core.models import TenantForeignKey, TenantModel
from furrow.metering.models.base import MoneyModel, amount_field

BUCKETS = ("in_hit", "in_miss", "out", "reasoning")


def _all_not_negative(names: tuple[str, ...]) -> Q:
    condition = Q()
    for name in names:
        condition &= Q(**{f"{name}__gte": 0})
    return condition


def _sum(*names: str) -> Any:
    total: Any = F(names[0])
    for name in names[1:]:
        total = total + F(name)
    return total


class Dimensions(models.Model):
    """By what usage can be told apart; empty where it does not apply."""

    kind = models.CharField(max_length=10)
    model = models.CharField(max_length=160)
    assistant_id = models.CharField(max_length=64, blank=True)
    channel = models.CharField(max_length=20, blank=True)
    api_key_id = models.CharField(max_length=64, blank=True)
    member_id = models.CharField(max_length=64, blank=True)
    rung = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3)

    class Meta:
        abstract = True


DIMENSIONS = tuple(field.name for field in Dimensions._meta.fields)


class UsageEvent(Dimensions, MoneyModel):
    """One attempt of one call, or a correction of one: then buckets and amounts are signed differences.

    prompt = in_hit + in_miss, completion = out + reasoning; cost = charged to the tenant + absorbed by us.
    """

    class Basis(models.TextChoices):
        REPORTED = "reported"
        ESTIMATED = "estimated"
        CORRECTED = "corrected"

    class Status(models.TextChoices):
        COMPLETE = "complete"
        ABORTED = "aborted"
        FAILED = "failed"

    # Found by source and id, never through the keys; as few indexes as reading needs keep settling cheap.
    hold = TenantForeignKey(
        "metering.Hold", models.PROTECT, null=True, related_name="events", db_index=False
    )
    corrects = TenantForeignKey(
        "self", models.PROTECT, null=True, related_name="corrections", db_index=False
    )
    source = models.CharField(max_length=40)
    source_id = models.CharField(max_length=100)
    attempt = models.PositiveSmallIntegerField(default=1)
    revision = models.PositiveSmallIntegerField(default=0)
    basis = models.CharField(max_length=10, choices=Basis.choices)
    status = models.CharField(max_length=10, choices=Status.choices)
    in_hit = models.BigIntegerField()
    in_miss = models.BigIntegerField()
    out = models.BigIntegerField()
    reasoning = models.BigIntegerField()
    cost_in_hit = amount_field()
    cost_in_miss = amount_field()
    cost_out = amount_field()
    cost_reasoning = amount_field()
    cost = amount_field()
    charged = amount_field()
    absorbed = amount_field()
    prices = models.JSONField()
    price_ids = ArrayField(models.UUIDField())
    book_version = models.PositiveIntegerField()
    busy_us = models.BigIntegerField(default=0)
    scopes = ArrayField(models.CharField(max_length=80))
    visitor_id = models.CharField(max_length=64, blank=True)
    turn_id = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "source", "source_id", "attempt", "basis", "revision"],
                name="event_once",
            ),
            models.CheckConstraint(
                condition=Q(basis="corrected") | _all_not_negative((*BUCKETS, "cost", "charged")),
                name="event_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(cost=_sum("cost_in_hit", "cost_in_miss", "cost_out", "cost_reasoning")),
                name="event_cost_is_its_parts",
            ),
            models.CheckConstraint(
                condition=Q(cost=_sum("charged", "absorbed")), name="event_cost_is_paid"
            ),
            models.CheckConstraint(condition=~Q(source_id=""), name="event_named"),
        ]
        indexes = [models.Index(fields=["tenant", "started_at"], name="event_time")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.basis}"


class RollupDue(TenantModel):
    """An hour whose sums must be made again. Added with each event, so that none can be missed."""

    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="+", editable=False, db_index=False
    )
    hour = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "hour"], name="rollup_due")]

    def __str__(self) -> str:
        return str(self.hour)


class UsageHour(Dimensions, TenantModel):
    """The sums of an hour. `calls` counts answers delivered, not corrections of them; `saved` is what the
    cached part of the prompts would have cost more without the cache.
    """

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+", editable=False)
    hour = models.DateTimeField()
    calls = models.BigIntegerField()
    in_hit = models.BigIntegerField()
    in_miss = models.BigIntegerField()
    out = models.BigIntegerField()
    reasoning = models.BigIntegerField()
    busy_us = models.BigIntegerField()
    cost = amount_field()
    charged = amount_field()
    saved = amount_field(default=0)
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hour", *DIMENSIONS], name="usage_hour_once"),
        ]

    def __str__(self) -> str:
        return str(self.hour)


class PriceHour(TenantModel):
    """The tokens of an hour that were priced by one price: what a change of it would have cost can be said
    without looking at events.
    """

    tenant = models.ForeignKey("tenants.Tenant", models.PROTECT, related_name="+", editable=False)
    hour = models.DateTimeField()
    price = models.ForeignKey(
        "metering.PriceItem", models.PROTECT, related_name="+", db_index=False
    )
    model = models.CharField(max_length=160)
    tokens = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "hour", "price", "model"], name="price_hour_once"
            ),
        ]
        indexes = [models.Index(fields=["hour"], name="price_hour_time")]

    def __str__(self) -> str:
        return f"{self.hour} {self.model}"
