"""What the shop sells: products, their packings (SKUs), seasons, stock and storage tips."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from furrow.core.models import TenantForeignKey, TenantModel


class FactRow(TenantModel):
    """A row that answers customers. `as_of` is when somebody last said that it is so, changed or not; an answer
    names it, and is refused once it is older than the shop allows.
    """

    as_of = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Product(FactRow):
    """A kind of goods. `aliases` are what customers call it, in any language; `category` is what claim rules name."""

    name_zh = models.CharField(max_length=120, blank=True)
    name_en = models.CharField(max_length=120, blank=True)
    category = models.CharField(max_length=60, blank=True)
    aliases = models.JSONField(default=list, blank=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "deleted_at"], name="support_product_live")]

    def __str__(self) -> str:
        return self.name_zh or self.name_en

    def name_in(self, language: str) -> str:
        """The name in `zh` or `en`, the other one where it is missing."""
        names = (self.name_zh, self.name_en) if language == "zh" else (self.name_en, self.name_zh)
        return names[0] or names[1]


class Sku(FactRow):
    """A packing with a code, a net weight and a price. What is unknown is null and is never answered."""

    product = TenantForeignKey(Product, models.CASCADE, related_name="skus")
    code = models.CharField(max_length=60)
    spec = models.CharField(max_length=120, blank=True)
    unit = models.CharField(max_length=12, blank=True)
    net_weight_kg = models.DecimalField(max_digits=9, decimal_places=3, null=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, default="CNY")
    is_cold_chain = models.BooleanField(default=False)
    ships_from = models.CharField(max_length=60, blank=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="support_sku_code_once"),
            models.CheckConstraint(condition=models.Q(price__gte=0), name="support_sku_price"),
            models.CheckConstraint(
                condition=models.Q(net_weight_kg__gt=0), name="support_sku_weight"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class StockSnapshot(TenantModel):
    """How many were counted at a moment. The newest one counts; older ones are the history."""

    sku = TenantForeignKey(Sku, models.CASCADE, related_name="stock")
    quantity = models.PositiveIntegerField()
    as_of = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["tenant", "sku", "-as_of"], name="support_stock_newest")]

    def __str__(self) -> str:
        return f"{self.quantity}"


class SeasonWindow(FactRow):
    """Days of the year, as month * 100 + day; a window may run over New Year. 101 to 1231 is all year."""

    class Kind(models.TextChoices):
        HARVEST = "harvest", _("Harvest")
        PRESALE = "presale", _("Pre-sale")
        SHIPPING = "shipping", _("Shipping")

    sku = TenantForeignKey(Sku, models.CASCADE, related_name="seasons")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.HARVEST)
    first_day = models.PositiveSmallIntegerField()
    last_day = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "sku", "kind"], name="support_season_kind_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_day}-{self.last_day}"

    @property
    def is_all_year(self) -> bool:
        return (self.first_day, self.last_day) == (101, 1231)


class StorageTip(FactRow):
    """How to keep it, in the shop's words. An empty language is answered in the other one."""

    sku = TenantForeignKey(Sku, models.CASCADE, related_name="storage")
    text_zh = models.CharField(max_length=400, blank=True)
    text_en = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "sku"], name="support_storage_once"),
        ]

    def __str__(self) -> str:
        return self.text_zh or self.text_en
