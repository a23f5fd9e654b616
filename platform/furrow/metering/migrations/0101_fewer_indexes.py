"""Indexes that nobody reads go; each settlement paid for all of them."""

import django.db.models.deletion
import furrow.core.models
from django.db import migrations, models


def _tenant_without_index(model: str) -> migrations.AlterField:
    field = models.ForeignKey(
        db_index=False,
        editable=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="tenants.tenant",
    )
    return migrations.AlterField(model_name=model, name="tenant", field=field)


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0100_one_trip"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="hold",
            name="hold_once",
        ),
        migrations.RemoveIndex(
            model_name="hold",
            name="hold_of_request",
        ),
        migrations.RemoveIndex(
            model_name="ledgerline",
            name="ledger_txn",
        ),
        _tenant_without_index("account"),
        _tenant_without_index("balance"),
        _tenant_without_index("budget"),
        _tenant_without_index("budgetnotice"),
        _tenant_without_index("hold"),
        _tenant_without_index("invoice"),
        _tenant_without_index("invoiceline"),
        migrations.AlterField(
            model_name="ledgerline",
            name="event",
            field=furrow.core.models.TenantForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ledger_lines",
                to="metering.usageevent",
            ),
        ),
        _tenant_without_index("ledgerline"),
        _tenant_without_index("rollupdue"),
        migrations.AlterField(
            model_name="usageevent",
            name="corrects",
            field=furrow.core.models.TenantForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="metering.usageevent",
            ),
        ),
        migrations.AlterField(
            model_name="usageevent",
            name="hold",
            field=furrow.core.models.TenantForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="metering.hold",
            ),
        ),
        _tenant_without_index("usageevent"),
        migrations.AddIndex(
            model_name="ledgerline",
            index=models.Index(
                condition=models.Q(
                    models.Q(("reason", "usage"), _negated=True),
                    models.Q(("reason", "correction"), _negated=True),
                ),
                fields=["tenant", "reason", "txn"],
                name="ledger_entered",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.UniqueConstraint(fields=("request_id", "tenant"), name="hold_once"),
        ),
    ]
