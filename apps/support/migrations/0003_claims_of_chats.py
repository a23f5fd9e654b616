from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0009_channels_outside"), ("support", "0002_two_people")]

    operations = [
        migrations.AddField("claimphoto", "chat_photo_id", models.UUIDField(null=True)),
        migrations.AddConstraint(
            "claimphoto",
            models.UniqueConstraint(
                fields=["tenant", "claim", "chat_photo_id"], name="support_photo_copied_once"
            ),
        ),
        migrations.AddIndex(
            "claim", models.Index(fields=["tenant", "conversation"], name="support_claim_chat")
        ),
    ]
