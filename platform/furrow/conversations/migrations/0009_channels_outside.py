"""Conversations of outside channels."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0008_hours_know_handoffs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="conversation",
            name="channel",
            field=models.CharField(
                choices=[
                    ("api", "API"),
                    ("dashboard", "Dashboard"),
                    ("widget", "Widget"),
                    ("rest", "Own program"),
                    ("wechat", "WeChat"),
                    ("email", "E-mail"),
                ],
                max_length=10,
            ),
        ),
    ]
