from decimal import Decimal

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0001_contract_review_tables"),
    ]

    operations = [
        migrations.AddField(
            model_name="reviewrun",
            name="cost_amount",
            field=models.DecimalField(
                db_default=0, decimal_places=12, default=Decimal("0"), max_digits=28
            ),
        ),
        migrations.AddField(
            model_name="reviewrun",
            name="cost_currency",
            field=models.CharField(blank=True, db_default="", max_length=3),
        ),
        migrations.AddField(
            model_name="reviewrun",
            name="payer",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="reviewrun",
            name="usage",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="reviewrun",
            name="with_model",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
