"""Which currencies an installation counts in. Amounts of two are never added; pages show one at a time."""

from django.db import connection

from furrow.core.context import unscoped
from furrow.metering.money import DEFAULT_CURRENCY

_KNOWN = """
SELECT currency FROM metering_account UNION SELECT currency FROM metering_priceitem
 UNION SELECT currency FROM metering_machineprice ORDER BY 1
"""


def currencies() -> list[str]:
    """Those that businesses pay in or prices are set in, the installation's own first. One query."""
    with unscoped("list the currencies for the operator"), connection.cursor() as cursor:
        cursor.execute(_KNOWN)
        found = [row[0] for row in cursor.fetchall()]
    return [DEFAULT_CURRENCY, *(name for name in found if name != DEFAULT_CURRENCY)]
