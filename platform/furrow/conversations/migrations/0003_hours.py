"""The figures of questions and conversations by hour, and the hours that must be made again."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assistants", "0004_gap_clusters"),
        ("conversations", "0002_turn_payer"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConversationHour",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hour", models.DateTimeField()),
                ("begun", models.BigIntegerField()),
                ("resolved", models.BigIntegerField()),
                ("confirmed", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="HourDue",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hour", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="TurnHour",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("hour", models.DateTimeField()),
                ("rung", models.CharField(blank=True, max_length=40)),
                ("questions", models.BigIntegerField()),
                ("answered", models.BigIntegerField()),
                ("solved", models.BigIntegerField()),
                ("written", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="conversationhour",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddField(
            model_name="hourdue",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddField(
            model_name="turnhour",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="conversationhour",
            constraint=models.UniqueConstraint(
                fields=("tenant", "hour"), name="conversation_hour_once"
            ),
        ),
        migrations.AddIndex(
            model_name="hourdue",
            index=models.Index(fields=["tenant", "hour"], name="hour_due"),
        ),
        migrations.AddConstraint(
            model_name="turnhour",
            constraint=models.UniqueConstraint(
                fields=("tenant", "hour", "rung"), name="turn_hour_once"
            ),
        ),
    ]
