"""Notices of credit that runs low: from where the last payment stood, again after each payment, and when a call
is refused although a little is left.
"""

from django.db import migrations, models


# A level counts from what had been spent when credit was last paid in: 0 for budgets, whose caps are whole.
NOTICES = """
CREATE OR REPLACE FUNCTION metering_notices(_tenant uuid, _ids uuid[], _spent numeric) RETURNS jsonb
LANGUAGE sql AS $$
    WITH passed AS (
        SELECT b.id, b.scope, b.period, b.period_start, b.currency, b.posted, l.cap,
               b.cap_hard IS NOT NULL AS is_hard, t.percent
          FROM metering_balance b, unnest(b.thresholds) AS t(percent),
               LATERAL (SELECT coalesce(b.cap_soft, b.cap_hard) AS cap) AS l,
               LATERAL (SELECT b.spent_at_top_up + (l.cap - b.spent_at_top_up) * t.percent / 100 AS level) AS v
         WHERE b.tenant_id = _tenant AND b.id = ANY(_ids) AND b.thresholds <> '{}' AND l.cap > b.spent_at_top_up
           AND b.posted - _spent < v.level AND b.posted >= v.level
    ), noted AS (
        INSERT INTO metering_budgetnotice (id, tenant_id, balance_id, percent, posted, cap)
        SELECT gen_random_uuid(), _tenant, id, percent, posted, cap FROM passed
        ON CONFLICT (tenant_id, balance_id, percent, cap) DO NOTHING RETURNING balance_id, percent
    )
    SELECT jsonb_agg(jsonb_build_object(
               'tenant_id', _tenant, 'scope', p.scope, 'period', p.period, 'period_start', p.period_start,
               'percent', p.percent, 'posted', p.posted::text, 'cap', p.cap::text, 'is_hard', p.is_hard,
               'currency', p.currency) ORDER BY p.percent)
      FROM noted n JOIN passed p ON p.id = n.balance_id AND p.percent = n.percent
$$;
"""
NOTICES_BACK = """
CREATE OR REPLACE FUNCTION metering_notices(_tenant uuid, _ids uuid[], _spent numeric) RETURNS jsonb
LANGUAGE sql AS $$
    WITH passed AS (
        SELECT b.id, b.scope, b.period, b.period_start, b.currency, b.posted,
               coalesce(b.cap_soft, b.cap_hard) AS cap, b.cap_hard IS NOT NULL AS is_hard, t.percent
          FROM metering_balance b, unnest(b.thresholds) AS t(percent)
         WHERE b.tenant_id = _tenant AND b.id = ANY(_ids) AND b.thresholds <> '{}'
           AND coalesce(b.cap_soft, b.cap_hard) > 0
           AND b.posted - _spent < coalesce(b.cap_soft, b.cap_hard) * t.percent / 100
           AND b.posted >= coalesce(b.cap_soft, b.cap_hard) * t.percent / 100
    ), noted AS (
        INSERT INTO metering_budgetnotice (id, tenant_id, balance_id, percent, posted)
        SELECT gen_random_uuid(), _tenant, id, percent, posted FROM passed
        ON CONFLICT (tenant_id, balance_id, percent) DO NOTHING RETURNING balance_id, percent
    )
    SELECT jsonb_agg(jsonb_build_object(
               'tenant_id', _tenant, 'scope', p.scope, 'period', p.period, 'period_start', p.period_start,
               'percent', p.percent, 'posted', p.posted::text, 'cap', p.cap::text, 'is_hard', p.is_hard,
               'currency', p.currency) ORDER BY p.percent)
      FROM noted n JOIN passed p ON p.id = n.balance_id AND p.percent = n.percent
$$;
"""

# What is set aside before a call is its highest price, so the last of an amount is never spent: refused with at
# most a fiftieth left, it is used up.
USED_UP = """
CREATE FUNCTION metering_used_up(_tenant uuid, _currency text, _scope text, _zone text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    _tenant_before text := current_setting('app.tenant', true);
BEGIN
    PERFORM set_config('app.tenant', _tenant::text, true);
    INSERT INTO metering_budgetnotice (id, tenant_id, balance_id, percent, posted, cap)
    SELECT gen_random_uuid(), _tenant, b.id, 100, b.posted, b.cap_hard
      FROM metering_balance b
     WHERE b.tenant_id = _tenant AND b.currency = _currency AND b.scope = _scope
       AND b.cap_soft IS NULL AND b.cap_hard > b.spent_at_top_up AND 100 = ANY(b.thresholds)
       AND b.period_start = metering_period_start(b.period, statement_timestamp(), _zone)
       AND (b.cap_hard - b.posted) * 50 <= b.cap_hard - b.spent_at_top_up
    ON CONFLICT (tenant_id, balance_id, percent, cap) DO NOTHING;
    PERFORM set_config('app.tenant', coalesce(_tenant_before, ''), true);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0207_alarm_of_hours")]
    operations = [
        migrations.AddField(
            model_name="balance",
            name="spent_at_top_up",
            field=models.DecimalField(max_digits=28, decimal_places=12, default=0, db_default=0),
        ),
        migrations.AddField(
            model_name="budgetnotice",
            name="cap",
            field=models.DecimalField(max_digits=28, decimal_places=12, null=True),
        ),
        migrations.RemoveConstraint(model_name="budgetnotice", name="notice_once"),
        migrations.AddConstraint(
            model_name="budgetnotice",
            constraint=models.UniqueConstraint(
                fields=["tenant", "balance", "percent", "cap"], name="notice_once"
            ),
        ),
        migrations.RunSQL(NOTICES, NOTICES_BACK),
        migrations.RunSQL(USED_UP, "DROP FUNCTION metering_used_up(uuid, text, text, text)"),
    ]
