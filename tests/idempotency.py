"""Another connection that is in the middle of the first call under an `Idempotency-Key`."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from furrow.tenants.idempotency import lock_name


@contextmanager
def first_call_running(tenant_id: UUID, caller: str, key: str) -> Iterator[None]:
    """One connection would get its own lock twice, as two requests never do."""
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            name = lock_name(tenant_id, caller, key)
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        yield
    finally:
        # The server notices a closed connection a moment later, on a busy machine after the next call.
        other.rollback()
        other.close()
