"""A conversation that a member took is not one that the assistant ended alone. Every known hour is made again."""

from django.db import migrations

TOUCH = """
CREATE FUNCTION conversations_handoff_touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    _row conversations_handoff := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM conversations_hours_touch(tenant_id, created_at) FROM conversations_conversation
      WHERE tenant_id = _row.tenant_id AND id = _row.conversation_id;
    RETURN NULL;
END $$;
CREATE TRIGGER handoff_made AFTER INSERT OR DELETE ON conversations_handoff
    FOR EACH ROW EXECUTE FUNCTION conversations_handoff_touch();
"""
TOUCH_BACK = """
DROP TRIGGER handoff_made ON conversations_handoff;
DROP FUNCTION conversations_handoff_touch();
"""
AGAIN = """
INSERT INTO conversations_hourdue (id, tenant_id, hour, created_at)
SELECT gen_random_uuid(), tenant_id, hour, statement_timestamp()
  FROM (SELECT tenant_id, hour FROM conversations_turnhour
        UNION SELECT tenant_id, hour FROM conversations_conversationhour) AS known;
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0007_inbox")]
    operations = [
        migrations.RunSQL(TOUCH, TOUCH_BACK),
        migrations.RunSQL(AGAIN, migrations.RunSQL.noop),
    ]
