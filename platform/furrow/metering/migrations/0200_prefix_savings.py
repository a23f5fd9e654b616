"""What cached prompts saved, hour by hour."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("metering", "0104_alarms")]
    operations = [
        migrations.AddField(
            model_name="usagehour",
            name="saved",
            field=models.DecimalField(decimal_places=12, default=0, max_digits=28),
        ),
    ]
