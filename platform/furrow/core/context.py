"""Which tenant is speaking: one context variable in Python and one setting in the database transaction.

`tenant_tx` sets both inside one transaction; outside it the app role sees no rows at all. `unscoped` is the
only way round: it switches to the maintenance role for the length of a block, and a test lists its uses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, transaction

MAINTENANCE_ROLE = "furrow_maintenance"
TENANT_SETTING = "app.tenant"

_tenant: ContextVar[UUID | None] = ContextVar("furrow_tenant", default=None)
# What the open transaction of this context was told; differs from `_tenant` inside `tenant_context`.
_database_tenant: ContextVar[UUID | None] = ContextVar("furrow_database_tenant", default=None)
_unscoped: ContextVar[str | None] = ContextVar("furrow_unscoped", default=None)


class TenantNotSet(RuntimeError):
    """A tenant's table was queried with no tenant set."""


def current_tenant_id() -> UUID:
    """The tenant of the running block; raises `TenantNotSet` outside one."""
    tenant_id = _tenant.get()
    if tenant_id is None:
        raise TenantNotSet("No tenant is set: wrap the work in tenant_tx(tenant_id)")
    return tenant_id


def tenant_id_or_none() -> UUID | None:
    return _tenant.get()


def is_unscoped() -> bool:
    return _unscoped.get() is not None


@contextmanager
def tenant_context(tenant_id: UUID | None) -> Iterator[None]:
    """Sets (or with None clears) the Python side only: for code that opens its own short transactions."""
    token = _tenant.set(tenant_id)
    unscoped_token = _unscoped.set(None)
    try:
        yield
    finally:
        _tenant.reset(token)
        _unscoped.reset(unscoped_token)


def _set_database_tenant(tenant_id: UUID | None) -> None:
    with connection.cursor() as cursor:
        value = str(tenant_id) if tenant_id else ""
        cursor.execute("SELECT set_config(%s, %s, true)", [TENANT_SETTING, value])


@contextmanager
def tenant_tx(tenant_id: UUID) -> Iterator[None]:
    """One transaction as `tenant_id`. Nests: when an inner block succeeds, what the enclosing transaction had
    set is restored (when it fails, rolling back to its savepoint does that). Never hold it open across a
    stream or a slow call.
    """
    if is_unscoped():
        raise RuntimeError("tenant_tx inside unscoped would run as the maintenance role")
    outer = _database_tenant.get() if connection.in_atomic_block else None
    with transaction.atomic(), tenant_context(tenant_id):
        _set_database_tenant(tenant_id)
        token = _database_tenant.set(tenant_id)
        try:
            yield
        finally:
            _database_tenant.reset(token)
        if len(connection.savepoint_ids) > 0 and outer != tenant_id:
            _set_database_tenant(outer)


@contextmanager
def unscoped(reason: str) -> Iterator[None]:
    """Sees every tenant's rows, as the maintenance role, for cross-tenant upkeep and credential look-ups."""
    if is_unscoped():
        yield
        return
    token = _unscoped.set(reason)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {MAINTENANCE_ROLE}")
            yield
            cursor.execute("SET LOCAL ROLE NONE")
    finally:
        _unscoped.reset(token)


def release_connection() -> None:
    """Gives this thread's connection back to the pool before a long wait. Inside a transaction it must stay."""
    if not connection.in_atomic_block:
        connection.close()
