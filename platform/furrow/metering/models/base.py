"""What the tables of metering have in common."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from furrow.core.models import TenantModel


def amount_field(**kwargs: Any) -> Any:
    """NUMERIC(28, 12)."""
    return models.DecimalField(max_digits=28, decimal_places=12, **kwargs)


class MoneyModel(TenantModel):
    """A tenant's row that must outlive the wish to delete the tenant, stamped by the database's clock.
    `changeable` lists the columns that may change after the row was written.
    """

    changeable: tuple[str, ...] = ()

    # Every such table has a key that begins with the tenant; one more index would only cost.
    tenant = models.ForeignKey(
        "tenants.Tenant", models.PROTECT, related_name="+", editable=False, db_index=False
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True
