"""What members write into conversations, who owns one, and how its visitor felt."""

import django.db.models.deletion
import furrow.core.models
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assistants", "0004_gap_clusters"),
        ("conversations", "0006_conversations_by_beginning"),
        ("tenants", "0002_opening_hours"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CannedReply",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("title", models.CharField(max_length=60)),
                ("text_zh", models.TextField(blank=True)),
                ("text_en", models.TextField(blank=True)),
                ("used_count", models.PositiveIntegerField(default=0)),
                ("deleted_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Csat",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("score", models.PositiveSmallIntegerField()),
                ("comment", models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("text", models.TextField()),
                ("rung", models.CharField(max_length=40)),
                ("citations", models.JSONField(default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("sent", "Sent"), ("dropped", "Dropped")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("is_edited", models.BooleanField(default=False)),
                ("decided_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Handoff",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("reason", models.CharField(max_length=40)),
                ("promised_at", models.DateTimeField(null=True)),
                ("taken_at", models.DateTimeField(null=True)),
                ("first_reply_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveIntegerField()),
                ("after_turn", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(choices=[("staff", "Reply"), ("note", "Note")], max_length=10),
                ),
                ("text", models.TextField()),
                ("author_name", models.CharField(blank=True, max_length=120)),
                ("key", models.CharField(blank=True, max_length=64)),
                ("mailed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="TopicMode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("topic", models.CharField(max_length=20)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("send", "Answers at once"),
                            ("draft", "Writes a draft"),
                            ("off", "Leaves it to people"),
                        ],
                        max_length=10,
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="conversation",
            name="csat_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="conversation",
            name="is_urgent",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="conversation",
            name="mood",
            field=models.CharField(blank=True, db_default="", max_length=10),
        ),
        migrations.AddField(
            model_name="conversation",
            name="owner",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="conversation",
            name="topic",
            field=models.CharField(blank=True, db_default="", max_length=20),
        ),
        migrations.AddField(
            model_name="conversation",
            name="waiting_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("waiting_since__isnull", False)),
                fields=["tenant", "waiting_since"],
                name="conversation_queue",
            ),
        ),
        migrations.AddConstraint(
            model_name="conversation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("owner", None), ("state__in", ["human", "closed"]), _connector="OR"
                ),
                name="conversation_owner_speaks",
            ),
        ),
        migrations.AddField(
            model_name="cannedreply",
            name="tenant",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddField(
            model_name="csat",
            name="conversation",
            field=furrow.core.models.TenantForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="csat",
                to="conversations.conversation",
            ),
        ),
        migrations.AddField(
            model_name="csat",
            name="tenant",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="conversation",
            field=furrow.core.models.TenantForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="drafts",
                to="conversations.conversation",
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="tenant",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="turn",
            field=furrow.core.models.TenantForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="drafts",
                to="conversations.turn",
            ),
        ),
        migrations.AddField(
            model_name="handoff",
            name="conversation",
            field=furrow.core.models.TenantForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="handoffs",
                to="conversations.conversation",
            ),
        ),
        migrations.AddField(
            model_name="handoff",
            name="taken_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="handoff",
            name="tenant",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="author",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="conversation",
            field=furrow.core.models.TenantForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="messages",
                to="conversations.conversation",
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="tenant",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddField(
            model_name="topicmode",
            name="tenant",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="cannedreply",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None)),
                fields=("tenant", "title"),
                name="canned_title_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="csat",
            constraint=models.UniqueConstraint(fields=("tenant", "conversation"), name="csat_once"),
        ),
        migrations.AddConstraint(
            model_name="csat",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__in", [1, 2, 3])), name="csat_score"
            ),
        ),
        migrations.AddIndex(
            model_name="draft",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["tenant", "conversation"],
                name="draft_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="draft",
            constraint=models.UniqueConstraint(fields=("tenant", "turn"), name="draft_once"),
        ),
        migrations.AddIndex(
            model_name="handoff",
            index=models.Index(fields=["tenant", "-created_at"], name="handoff_recent"),
        ),
        migrations.AddConstraint(
            model_name="handoff",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("tenant", "conversation"),
                name="handoff_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                fields=("tenant", "conversation", "number"), name="message_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("key", ""), _negated=True),
                fields=("tenant", "conversation", "key"),
                name="message_key_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="topicmode",
            constraint=models.UniqueConstraint(fields=("tenant", "topic"), name="topic_mode_once"),
        ),
    ]
