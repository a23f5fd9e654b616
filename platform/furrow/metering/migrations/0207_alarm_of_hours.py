"""Alarms when hours cannot be summed up."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0206_alarm_of_figures"),
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
                    ("hours", "hours could not be summed up"),
                ],
                max_length=10,
            ),
        ),
    ]
