"""Which models a business may use, looked at in the one trip that opens a hold."""

import uuid
from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

_ONE_TRIP = import_module("furrow.metering.migrations.0100_one_trip")

# Before the account is touched: a call that may not be made must not wait for one that may.
_LOOK = """
    IF _kind = 'chat' AND NOT coalesce(
        (SELECT r.is_allowed FROM metering_modelrule r
          WHERE r.tenant_id = _tenant AND r.model IN (_model, '*') ORDER BY r.model = '*' LIMIT 1), true) THEN
        outcome := 'withheld';
        PERFORM set_config('app.tenant', coalesce(_tenant_before, ''), true);
        RETURN;
    END IF;
"""
_FIRST = "    PERFORM set_config('app.tenant', _tenant::text, true);\n"
_REPLACED = _ONE_TRIP.HOLD.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
HOLD = _REPLACED.replace(_FIRST, _FIRST + _LOOK.lstrip("\n"))


class Migration(migrations.Migration):
    dependencies = [("metering", "0209_wallets_tell"), ("tenants", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="ModelRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("model", models.CharField(max_length=160)),
                ("is_allowed", models.BooleanField()),
                (
                    "tenant",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "model"), name="model_rule_once")
                ],
            },
        ),
        migrations.RunSQL(HOLD, _REPLACED),
    ]
