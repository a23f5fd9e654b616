"""Alarms when hours of conversations differ from their rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0205_hours_by_price"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alarm",
            name="kind",
            field=models.CharField(
                choices=[
                    ("engine", "the server counted other tokens than its receipts say"),
                    ("tokens", "receipts and events say different tokens"),
                    ("receipts", "receipts are missing"),
                    ("balances", "balances differ from the ledger"),
                    ("holds", "money is held longer than it may be"),
                    ("free", "tokens were used that cost nothing"),
                    ("figures", "hours of conversations differ from their rows"),
                ],
                max_length=10,
            ),
        ),
    ]
