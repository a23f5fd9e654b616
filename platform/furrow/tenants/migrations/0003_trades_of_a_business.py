"""Which trades a business leaves out of its menu."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0002_opening_hours"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="hidden_trades",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40), blank=True, default=list, size=None
            ),
        ),
    ]
