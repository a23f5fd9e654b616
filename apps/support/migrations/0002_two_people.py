from decimal import Decimal

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("support", "0001_shop_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("claim", "first_yes_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "claim",
            "first_yes_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            "shopsettings",
            "two_above",
            models.DecimalField(decimal_places=2, default=Decimal(500), max_digits=10, null=True),
        ),
    ]
