from decimal import Decimal

import uuid
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
import furrow.core.models


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0002_model_checks"),
        ("tenants", "0003_trades_of_a_business"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Inquiry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("text", models.CharField(max_length=500)),
                ("scope", models.JSONField(default=list)),
                ("with_model", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Waiting"),
                            ("running", "Reading"),
                            ("done", "Answered"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=7,
                    ),
                ),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("others", models.PositiveIntegerField(default=0)),
                ("dropped", models.PositiveIntegerField(default=0)),
                ("note", models.CharField(blank=True, max_length=20)),
                ("payer", models.JSONField(default=dict)),
                (
                    "cost_amount",
                    models.DecimalField(decimal_places=12, default=Decimal("0"), max_digits=28),
                ),
                ("cost_currency", models.CharField(blank=True, max_length=3)),
            ],
            options={
                "verbose_name_plural": "inquiries",
            },
        ),
        migrations.CreateModel(
            name="InquiryAnswer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("position", models.PositiveSmallIntegerField()),
                ("source", models.CharField(max_length=12)),
                ("lines", models.JSONField(default=list)),
                ("alike", models.JSONField(default=list)),
            ],
        ),
        migrations.AddField(
            model_name="inquiry",
            name="made_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="inquiry",
            name="tenant",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddField(
            model_name="inquiryanswer",
            name="contract",
            field=furrow.core.models.TenantForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="contracts.contract",
            ),
        ),
        migrations.AddField(
            model_name="inquiryanswer",
            name="inquiry",
            field=furrow.core.models.TenantForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="answers",
                to="contracts.inquiry",
            ),
        ),
        migrations.AddField(
            model_name="inquiryanswer",
            name="tenant",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="tenants.tenant",
            ),
        ),
        migrations.AddField(
            model_name="inquiryanswer",
            name="version",
            field=furrow.core.models.TenantForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="contracts.contractversion",
            ),
        ),
        migrations.AddIndex(
            model_name="inquiry",
            index=models.Index(fields=["tenant", "-created_at"], name="contracts_inquiry_recent"),
        ),
        migrations.AddConstraint(
            model_name="inquiryanswer",
            constraint=models.UniqueConstraint(
                fields=("tenant", "inquiry", "contract"), name="contracts_answer_once"
            ),
        ),
    ]
