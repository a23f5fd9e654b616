"""Every change that can move a figure of an hour makes the hour due, also changes by SQL and late ones: an opinion
or a wish for a person comes after its question.
"""

from django.db import migrations

# With the rights of whoever writes: row-level security holds inside too.
TOUCH = """
CREATE FUNCTION conversations_hours_touch(_tenant uuid, VARIADIC _moments timestamptz[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public AS $$
    INSERT INTO conversations_hourdue (id, tenant_id, hour, created_at)
    SELECT gen_random_uuid(), _tenant, hour, statement_timestamp()
      FROM (SELECT DISTINCT date_trunc('hour', moment, 'UTC') AS hour FROM unnest(_moments) AS m(moment)
             WHERE moment IS NOT NULL) AS hours
$$;

CREATE FUNCTION conversations_turn_touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    _row conversations_turn := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM conversations_hours_touch(_row.tenant_id, _row.created_at, (
        SELECT created_at FROM conversations_conversation
         WHERE tenant_id = _row.tenant_id AND id = _row.conversation_id));
    RETURN NULL;
END $$;
CREATE TRIGGER turn_added AFTER INSERT OR DELETE ON conversations_turn
    FOR EACH ROW EXECUTE FUNCTION conversations_turn_touch();
CREATE TRIGGER turn_ended AFTER UPDATE OF status, rung ON conversations_turn FOR EACH ROW
    WHEN ((OLD.status = 'done') <> (NEW.status = 'done') OR OLD.rung <> NEW.rung)
    EXECUTE FUNCTION conversations_turn_touch();

CREATE FUNCTION conversations_feedback_touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    _row conversations_feedback := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM conversations_hours_touch(t.tenant_id, t.created_at, c.created_at)
       FROM conversations_turn t
       JOIN conversations_conversation c ON c.tenant_id = t.tenant_id AND c.id = t.conversation_id
      WHERE t.tenant_id = _row.tenant_id AND t.id = _row.turn_id;
    RETURN NULL;
END $$;
CREATE TRIGGER feedback_given AFTER INSERT OR DELETE OR UPDATE OF value ON conversations_feedback
    FOR EACH ROW EXECUTE FUNCTION conversations_feedback_touch();

CREATE FUNCTION conversations_ticket_touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    _row conversations_ticket := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM conversations_hours_touch(tenant_id, created_at) FROM conversations_conversation
      WHERE tenant_id = _row.tenant_id AND id = _row.conversation_id;
    RETURN NULL;
END $$;
CREATE TRIGGER ticket_opened AFTER INSERT OR DELETE ON conversations_ticket
    FOR EACH ROW EXECUTE FUNCTION conversations_ticket_touch();

CREATE FUNCTION conversations_conversation_touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    _row conversations_conversation := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM conversations_hours_touch(_row.tenant_id, _row.created_at);
    PERFORM conversations_hours_touch(_row.tenant_id, t.created_at) FROM conversations_turn t
      WHERE TG_OP = 'UPDATE' AND t.tenant_id = _row.tenant_id AND t.conversation_id = _row.id;
    RETURN NULL;
END $$;
CREATE TRIGGER conversation_begun AFTER INSERT OR DELETE ON conversations_conversation
    FOR EACH ROW EXECUTE FUNCTION conversations_conversation_touch();
CREATE TRIGGER conversation_counted AFTER UPDATE OF is_test ON conversations_conversation FOR EACH ROW
    WHEN (OLD.is_test <> NEW.is_test) EXECUTE FUNCTION conversations_conversation_touch();
"""
# Rights are given once all migrations ran; what runs during the upgrade goes on writing questions meanwhile.
GRANT = """
DO $$
DECLARE
    _role name;
BEGIN
    FOR _role IN SELECT DISTINCT grantee FROM information_schema.role_table_grants
                  WHERE table_schema = 'public' AND table_name = 'conversations_turn' AND privilege_type = 'INSERT'
                    AND grantee NOT IN (current_user, 'PUBLIC') LOOP
        EXECUTE format('GRANT INSERT ON conversations_hourdue TO %I', _role);
    END LOOP;
END $$;
"""
TOUCH_BACK = """
DROP TRIGGER turn_added ON conversations_turn;
DROP TRIGGER turn_ended ON conversations_turn;
DROP TRIGGER feedback_given ON conversations_feedback;
DROP TRIGGER ticket_opened ON conversations_ticket;
DROP TRIGGER conversation_begun ON conversations_conversation;
DROP TRIGGER conversation_counted ON conversations_conversation;
DROP FUNCTION conversations_turn_touch();
DROP FUNCTION conversations_feedback_touch();
DROP FUNCTION conversations_ticket_touch();
DROP FUNCTION conversations_conversation_touch();
DROP FUNCTION conversations_hours_touch(uuid, VARIADIC timestamptz[]);
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0003_hours")]
    operations = [
        migrations.RunSQL(GRANT, migrations.RunSQL.noop),
        migrations.RunSQL(TOUCH, TOUCH_BACK),
    ]
