"""The first price book, for every model that has no price of its own."""

from django.db import migrations

DEFAULTS = """
INSERT INTO metering_priceitem (id, model, kind, currency, "window", per_million, valid, book_version)
SELECT gen_random_uuid(), '*', kind, 'CNY', '', price, tstzrange(transaction_timestamp(), NULL), 1
  FROM (VALUES ('in_hit', 0.5), ('in_miss', 2), ('out', 8), ('reasoning', 8),
               ('embed', 0.1), ('rerank', 0.1)) AS book(kind, price);
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0002_money_rules")]
    operations = [
        migrations.RunSQL(DEFAULTS, "DELETE FROM metering_priceitem WHERE book_version = 1")
    ]
