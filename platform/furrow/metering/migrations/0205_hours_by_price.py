"""Every known hour is summed up again, so that its tokens by price are there too."""

from django.db import migrations

AGAIN = """
INSERT INTO metering_rollupdue (id, tenant_id, hour, created_at)
SELECT gen_random_uuid(), tenant_id, hour, statement_timestamp()
  FROM metering_usagehour GROUP BY tenant_id, hour;
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0204_tokens_by_price")]
    operations = [migrations.RunSQL(AGAIN, migrations.RunSQL.noop)]
