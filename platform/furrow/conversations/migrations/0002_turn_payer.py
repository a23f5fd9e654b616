"""Whose budget a question counts in, kept until a worker answers it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="turn",
            name="payer",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
