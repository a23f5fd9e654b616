"""Wallets that are there already tell too: at a fifth, and when they are used up."""

from django.db import migrations

TELL = "UPDATE metering_balance SET thresholds = '{80,100}' WHERE scope = 'wallet' AND thresholds = '{}'"


class Migration(migrations.Migration):
    dependencies = [("metering", "0208_low_credit")]
    operations = [migrations.RunSQL(TELL, migrations.RunSQL.noop)]
