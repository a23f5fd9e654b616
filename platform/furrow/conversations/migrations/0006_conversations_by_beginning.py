"""Finds the conversations that began in an hour. Made while everything runs."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("conversations", "0005_known_hours")]
    operations = [
        AddIndexConcurrently(
            model_name="conversation",
            index=models.Index(fields=["tenant", "created_at"], name="conversation_begun"),
        ),
    ]
