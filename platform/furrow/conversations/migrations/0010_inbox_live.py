from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0009_channels_outside")]

    operations = [
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["tenant", "waiting_since"],
                condition=models.Q(state__in=["waiting", "human"])
                | models.Q(waiting_since__isnull=False),
                name="conversation_live",
            ),
        ),
    ]
