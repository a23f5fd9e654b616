"""The hours of what was asked before there were hours. The regular job sums them up, some hundreds at a time."""

from django.db import migrations

KNOWN = """
INSERT INTO conversations_hourdue (id, tenant_id, hour, created_at)
SELECT gen_random_uuid(), tenant_id, hour, statement_timestamp()
  FROM (SELECT tenant_id, date_trunc('hour', created_at, 'UTC') AS hour FROM conversations_turn
        UNION SELECT tenant_id, date_trunc('hour', created_at, 'UTC') FROM conversations_conversation) AS known;
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0004_hours_fall_due")]
    operations = [migrations.RunSQL(KNOWN, migrations.RunSQL.noop)]
