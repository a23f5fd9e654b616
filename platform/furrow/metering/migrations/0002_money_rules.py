"""What the database itself refuses: overlapping or edited prices, and entries that do not balance."""

from django.db import migrations

# A range type over text stands in for btree_gist, which the embedded PostgreSQL does not have: a key becomes
# the range from itself to itself, and ranges can be compared for equality in a GiST exclusion.
PRICES = """
CREATE TYPE metering_keyrange AS RANGE (subtype = text, collation = "C");

ALTER TABLE metering_priceitem ADD CONSTRAINT price_no_overlap EXCLUDE USING gist (
    metering_keyrange(
        model || chr(31) || kind || chr(31) || currency || chr(31) || "window",
        model || chr(31) || kind || chr(31) || currency || chr(31) || "window", '[]') WITH =,
    valid WITH &&);

CREATE FUNCTION metering_price_begins() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    IF lower(NEW.valid) IS NULL OR lower(NEW.valid) < transaction_timestamp() THEN
        RAISE EXCEPTION 'a price cannot begin in the past' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER price_begins BEFORE INSERT ON metering_priceitem
    FOR EACH ROW EXECUTE FUNCTION metering_price_begins();

-- The owner's rights for one act: giving an open range an end that is not past. A price that has not begun
-- yet may end where it begins, that is, never apply.
CREATE FUNCTION metering_price_close(price uuid, ends timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    UPDATE metering_priceitem SET valid = tstzrange(lower(valid), ends)
     WHERE id = price AND upper_inf(valid) AND ends >= lower(valid)
       AND ends >= transaction_timestamp();
    RETURN FOUND;
END $$;
"""
PRICES_BACK = """
DROP FUNCTION metering_price_close(uuid, timestamptz);
DROP TRIGGER price_begins ON metering_priceitem;
DROP FUNCTION metering_price_begins();
ALTER TABLE metering_priceitem DROP CONSTRAINT price_no_overlap;
DROP TYPE metering_keyrange;
"""

# At commit the tenant of the transaction may be unset again, so the check looks with the owner's eyes.
LEDGER = """
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
"""
LEDGER_BACK = """
DROP TRIGGER ledger_entry_balances ON metering_ledgerline;
DROP FUNCTION metering_entry_balances();
"""

PERIODS = """
CREATE FUNCTION metering_period_start(period text, moment timestamptz, zone text) RETURNS date
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE period WHEN 'day' THEN (moment AT TIME ZONE zone)::date
                       WHEN 'month' THEN date_trunc('month', moment AT TIME ZONE zone)::date
                       ELSE DATE '1970-01-01' END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0001_tables")]
    operations = [
        migrations.RunSQL(PRICES, PRICES_BACK),
        migrations.RunSQL(LEDGER, LEDGER_BACK),
        migrations.RunSQL(PERIODS, "DROP FUNCTION metering_period_start(text, timestamptz, text)"),
    ]
