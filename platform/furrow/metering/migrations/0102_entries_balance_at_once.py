"""The ledger is looked at once for each statement instead of once for each line at commit, which took longer
than settling. Stricter too: no statement can leave an entry half written, nor add to an old one.
"""

from django.db import migrations

AT_ONCE = """
CREATE FUNCTION metering_lines_balance() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    _txn uuid;
BEGIN
    SELECT txn INTO _txn FROM added GROUP BY tenant_id, txn, currency HAVING sum(debit) <> sum(credit) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % does not balance', _txn USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_lines_balance AFTER INSERT ON metering_ledgerline
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION metering_lines_balance();
DROP TRIGGER ledger_entry_balances ON metering_ledgerline;
DROP FUNCTION metering_entry_balances();
"""
AT_ONCE_BACK = """
CREATE FUNCTION metering_entry_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM metering_ledgerline WHERE tenant_id = NEW.tenant_id AND txn = NEW.txn
                GROUP BY currency HAVING sum(debit) <> sum(credit)) THEN
        RAISE EXCEPTION 'entry % does not balance', NEW.txn USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON metering_ledgerline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION metering_entry_balances();
DROP TRIGGER ledger_lines_balance ON metering_ledgerline;
DROP FUNCTION metering_lines_balance();
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0101_fewer_indexes")]
    operations = [migrations.RunSQL(AT_ONCE, AT_ONCE_BACK)]
