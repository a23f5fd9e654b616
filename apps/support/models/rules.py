"""Where the shop sends and for how much, what it promises, and how old a fact may be."""

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.support.models.catalogue import FactRow
from furrow.core.models import TenantModel


class ShippingRule(FactRow):
    """One zone. `regions` are the keys of `facts.regions`; a region stands in at most one rule."""

    name = models.CharField(max_length=60)
    regions = models.JSONField(default=list)
    is_served = models.BooleanField(default=True)
    carrier = models.CharField(max_length=60, blank=True)
    days_min = models.PositiveSmallIntegerField(null=True)
    days_max = models.PositiveSmallIntegerField(null=True)
    first_kg = models.DecimalField(max_digits=7, decimal_places=2, null=True)
    first_fee = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    extra_fee = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    free_over = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    is_cold_chain_served = models.BooleanField(default=True)
    cold_chain_fee = models.DecimalField(max_digits=10, decimal_places=2, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="support_zone_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class ShippingPause(FactRow):
    """Regions that get nothing between two days of the year, for example in deep frost."""

    regions = models.JSONField(default=list)
    first_day = models.PositiveSmallIntegerField()
    last_day = models.PositiveSmallIntegerField()
    reason_zh = models.CharField(max_length=120, blank=True)
    reason_en = models.CharField(max_length=120, blank=True)

    def __str__(self) -> str:
        return f"{self.first_day}-{self.last_day}"

    @property
    def is_all_year(self) -> bool:
        return (self.first_day, self.last_day) == (101, 1231)


class Policy(FactRow):
    """A rule of the house, said word for word when its topic is asked."""

    class Topic(models.TextChoices):
        DISPATCH = "dispatch", _("When orders leave")
        RETURNS = "returns", _("Returns")
        INVOICE = "invoice", _("Invoices")
        PICKUP = "pickup", _("Collecting in person")

    topic = models.CharField(max_length=20, choices=Topic.choices)
    text_zh = models.TextField(blank=True)
    text_en = models.TextField(blank=True)
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "topic"], name="support_policy_topic_once"),
        ]

    def __str__(self) -> str:
        return self.topic


class ShopSettings(TenantModel):
    """How old a fact may be before it is no longer told, and what a claim may pay without a second look."""

    price_hours = models.PositiveIntegerField(default=24 * 30)
    stock_hours = models.PositiveIntegerField(default=48)
    season_hours = models.PositiveIntegerField(default=24 * 400)
    rules_hours = models.PositiveIntegerField(default=24 * 400)
    order_hours = models.PositiveIntegerField(default=72)
    approve_above = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal(50))
    # Above it two people must say yes; empty is never.
    two_above = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, default=Decimal(500)
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="support_settings_once"),
        ]

    def __str__(self) -> str:
        return "settings"
