"""Makes the database enforce tenancy: forced row-level security, composite keys and grants.

Runs after every migration as the owner, over every `TenantModel` there is, so a new table cannot be
forgotten; `verify` looks at the result as PostgreSQL sees it and is called at start and in the tests.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from furrow.core.context import MAINTENANCE_ROLE, TENANT_SETTING
from furrow.core.models import TenantForeignKey, TenantModel

# A scalar sub-select is evaluated once for a statement, not once for a row.
CURRENT_TENANT = f"(SELECT nullif(current_setting('{TENANT_SETTING}', true), '')::uuid)"


class InsecureDatabase(RuntimeError):
    """The database does not enforce tenancy; the message says where."""


def tenant_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if issubclass(model, TenantModel)]


def scoped_tables() -> Iterator[tuple[str, str]]:
    """(table, tenant column) of everything under row-level security."""
    yield apps.get_model("tenants", "Tenant")._meta.db_table, "id"
    for model in apps.get_models():
        if issubclass(model, TenantModel) or getattr(model, "is_tenant_table", False):
            yield model._meta.db_table, "tenant_id"


def ensure_roles(connection: BaseDatabaseWrapper, *, app_role: str, password: str = "") -> None:
    """Creates the app role (log-in, no rights of its own) and the maintenance role. Needs CREATEROLE."""
    with connection.cursor() as cursor:
        for role, options in ((app_role, "LOGIN"), (MAINTENANCE_ROLE, "NOLOGIN")):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE ROLE "{role}" {options} NOSUPERUSER NOBYPASSRLS')
        if password:
            literal = password.replace("'", "''")
            cursor.execute(f"ALTER ROLE \"{app_role}\" PASSWORD '{literal}'")
        cursor.execute(f'GRANT {MAINTENANCE_ROLE} TO "{app_role}" WITH INHERIT FALSE, SET TRUE')


def apply(connection: BaseDatabaseWrapper) -> None:
    """Brings grants, policies and composite keys in line with the models. Idempotent."""
    app_role = settings.DATABASE_APP_ROLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
        for role in (app_role, MAINTENANCE_ROLE):
            cursor.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
            cursor.execute(
                f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{role}"'
            )
            cursor.execute(f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{role}"')
        for table in append_only_tables():
            cursor.execute(f'REVOKE UPDATE, DELETE ON "{table}" FROM "{app_role}"')
        for model in apps.get_models():
            _restrict(cursor, model, app_role)
        for table, column in scoped_tables():
            _protect(cursor, table, column, app_role=app_role, owner=owner)
        for model in tenant_models():
            _ensure_tenant_key(cursor, model._meta.db_table)
        for model in tenant_models():
            for field in model._meta.local_fields:
                if isinstance(field, TenantForeignKey):
                    _ensure_composite_key(cursor, model._meta.db_table, field)


def append_only_tables() -> list[str]:
    """Tables whose rows the app role may add and read, never change."""
    return [m._meta.db_table for m in tenant_models() if getattr(m, "append_only", False)]


def _restrict(cursor: Any, model: type[models.Model], app_role: str) -> None:
    """What a model asks for beyond tenancy. `changeable` (column names, may be empty) makes every other column
    fixed and rows permanent, for both roles; `is_operator_only` leaves the app role nothing; `app_functions`
    are the SECURITY DEFINER functions that only these roles may call.
    """
    table, roles = model._meta.db_table, f'"{app_role}", "{MAINTENANCE_ROLE}"'
    changeable = getattr(model, "changeable", None)
    if changeable is not None:
        # A table-wide REVOKE takes the column rights of an earlier version with it.
        cursor.execute(f'REVOKE UPDATE, DELETE ON "{table}" FROM {roles}')
        if changeable:
            columns = ", ".join(f'"{column}"' for column in changeable)
            cursor.execute(f'GRANT UPDATE ({columns}) ON "{table}" TO {roles}')
    if getattr(model, "is_operator_only", False):
        cursor.execute(f'REVOKE ALL ON "{table}" FROM "{app_role}"')
    for function in getattr(model, "app_functions", ()):
        cursor.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        cursor.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {roles}")


def _protect(cursor: Any, table: str, column: str, *, app_role: str, owner: str) -> None:
    cursor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    cursor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    own_rows = f'"{column}" = {CURRENT_TENANT}'
    policies = [
        ("tenant_isolation", app_role, own_rows),
        ("maintenance_all", MAINTENANCE_ROLE, "true"),
    ]
    if owner not in {app_role, MAINTENANCE_ROLE}:
        policies.append(("owner_all", owner, "true"))
    for name, role, condition in policies:
        cursor.execute(
            "SELECT 1 FROM pg_policies WHERE tablename = %s AND policyname = %s", [table, name]
        )
        if cursor.fetchone() is None:
            cursor.execute(
                f'CREATE POLICY {name} ON "{table}" TO "{role}"'
                f" USING ({condition}) WITH CHECK ({condition})"
            )


def _constraint_exists(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [name])
    return cursor.fetchone() is not None


def _ensure_tenant_key(cursor: Any, table: str) -> None:
    name = f"{table}_tenant_key"
    if not _constraint_exists(cursor, name):
        cursor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" UNIQUE (tenant_id, id)')


def _ensure_composite_key(cursor: Any, table: str, field: TenantForeignKey) -> None:
    name = f"{table}_{field.column}_tenant_fk"[:63]
    if not _constraint_exists(cursor, name):
        target = field.related_model._meta.db_table
        cursor.execute(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (tenant_id, "{field.column}")'
            f' REFERENCES "{target}" (tenant_id, id) DEFERRABLE INITIALLY DEFERRED'
        )


def verify(connection: BaseDatabaseWrapper) -> None:
    """Raises `InsecureDatabase` unless this connection's role is bound by row-level security everywhere."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        role, is_super, bypasses = cursor.fetchone()
        if is_super or bypasses:
            raise InsecureDatabase(f"The app connects as {role}, which bypasses row-level security")
        cursor.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity, pg_get_userbyid(relowner)"
            " FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        )
        found = {name: (forced, owner) for name, forced, owner in cursor.fetchall()}
    for table, _ in scoped_tables():
        forced, owner = found.get(table, (False, ""))
        if not forced:
            raise InsecureDatabase(f"Table {table} has no forced row-level security")
        if owner == role:
            raise InsecureDatabase(f"The app role {role} owns table {table}")
