"""Alarms the operator acknowledges, and comparisons that cost the same however much there is."""

import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0103_budget_steps"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("engine", "the server counted other tokens than its receipts say"),
                            ("tokens", "receipts and events say different tokens"),
                            ("receipts", "receipts are missing"),
                            ("balances", "balances differ from the ledger"),
                            ("holds", "money is held longer than it may be"),
                            ("free", "tokens were used that cost nothing"),
                        ],
                        max_length=10,
                    ),
                ),
                ("source", models.CharField(max_length=40)),
                ("amount", models.DecimalField(decimal_places=12, max_digits=28)),
                ("times", models.PositiveIntegerField(default=1)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "last_seen_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("acknowledged_by", models.CharField(blank=True, max_length=200)),
                ("note", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.AddField(
            model_name="receiptsource",
            name="missing_known",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="receiptsource",
            name="summed_boot",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="receiptsource",
            name="summed_seq",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="receiptsource",
            name="summed_tokens",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="reconciliation",
            name="is_full",
            field=models.BooleanField(default=True),
        ),
        migrations.AddIndex(
            model_name="receipt",
            index=models.Index(fields=["source", "created_at"], name="receipt_recent"),
        ),
        migrations.AddConstraint(
            model_name="alarm",
            constraint=models.UniqueConstraint(
                condition=models.Q(("acknowledged_at", None)),
                fields=("kind", "source"),
                name="alarm_open_once",
            ),
        ),
    ]
