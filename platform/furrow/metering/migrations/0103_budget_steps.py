"""Down which steps answers go while a budget runs low."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("metering", "0102_entries_balance_at_once")]
    operations = [
        migrations.AddField(
            model_name="budget",
            name="steps",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
