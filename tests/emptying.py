"""Takes away what a test really committed. `TRUNCATE` makes new files for hundreds of tables and indexes, which
costs more than most of these tests; deleting from tables with a few rows costs nothing.
"""

from typing import Any

from django.db import connections, transaction

_TENANTS_AND_BELOW = """
WITH RECURSIVE below AS (
    SELECT 'tenants_tenant'::regclass AS name
    UNION
    SELECT conrelid FROM pg_constraint JOIN below ON confrelid = below.name WHERE contype = 'f'
)
SELECT name::text FROM below
"""


def rows_remove() -> None:
    """Every tenant and all that is a tenant's, as the owner; what runs on other connections is waited for."""
    connections.close_all()
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        cursor.execute("LOCK TABLE tenants_tenant IN ACCESS EXCLUSIVE MODE")
        # Past the triggers that keep the ledger and the audit trail whole.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_deletes(cursor))
    connections.close_all()


def _deletes(cursor: Any) -> str:
    cursor.execute(_TENANTS_AND_BELOW)
    return ";".join(f"DELETE FROM {name}" for (name,) in cursor.fetchall())
