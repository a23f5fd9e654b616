"""Files that were read in: what stood in each row, what was wrong with it, and how to take it back."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.support.models.orders import Platform
from furrow.core.models import TenantForeignKey, TenantModel


class ImportKind(models.TextChoices):
    PRODUCTS = "products", _("Products and prices")
    STOCK = "stock", _("Stock")
    SHIPPING = "shipping", _("Shipping rules")
    ORDERS = "orders", _("Orders")


class ColumnMapping(TenantModel):
    """Which column means what, remembered for files with the same head."""

    kind = models.CharField(max_length=12, choices=ImportKind.choices)
    head_digest = models.CharField(max_length=64)
    columns = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "head_digest"], name="support_mapping_once"
            ),
        ]

    def __str__(self) -> str:
        return self.kind


class ImportBatch(TenantModel):
    class State(models.TextChoices):
        PREVIEW = "preview", _("Waiting for your yes")
        APPLIED = "applied", _("Taken over")
        UNDONE = "undone", _("Taken back")
        DROPPED = "dropped", _("Thrown away")

    kind = models.CharField(max_length=12, choices=ImportKind.choices)
    platform = models.CharField(max_length=12, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREVIEW)
    file_name = models.CharField(max_length=200)
    encoding = models.CharField(max_length=30, blank=True)
    head = models.JSONField(default=list)
    columns = models.JSONField(default=dict)
    rows_total = models.PositiveIntegerField(default=0)
    rows_bad = models.PositiveIntegerField(default=0)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    applied_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tenant", "-created_at"], name="support_import_recent")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def platform_name(self) -> str:
        return str(Platform(self.platform).label) if self.platform else ""


class ImportRow(TenantModel):
    """`line` is the row's number in the file as a spreadsheet counts it, the head being the first."""

    batch = TenantForeignKey(ImportBatch, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    cells = models.JSONField(default=list)
    values = models.JSONField(default=dict)
    problems = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "batch", "line"], name="support_row_once"),
        ]

    def __str__(self) -> str:
        return f"row {self.line}"


class ImportChange(TenantModel):
    """What a row was before the import; `before` is null for a row that the import made."""

    batch = TenantForeignKey(ImportBatch, models.CASCADE, related_name="changes")
    position = models.PositiveIntegerField()
    model = models.CharField(max_length=40)
    row_id = models.UUIDField()
    before = models.JSONField(null=True)
    after = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "batch", "position"], name="support_change_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.row_id}"
