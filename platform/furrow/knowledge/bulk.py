"""Fast writing and reading of many rows as the app role.

PostgreSQL refuses COPY FROM on tables under row-level security, so rows travel as one binary array a
column and are unnested by an INSERT, which the policies check like any other.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, models
from psycopg.pq import Format

from furrow.core.context import current_tenant_id

# Keeps one statement well under the statement timeout.
ROWS_A_STATEMENT = 10_000


@contextmanager
def binary_cursor() -> Iterator[Any]:
    """A cursor on Django's connection that binds on the server and moves bytes as bytes.

    It shows in Django's query log. Parameters are written `%b`.
    """
    connection.ensure_connection()
    raw: psycopg.Cursor[Any] = psycopg.Cursor(connection.connection)
    raw.format = Format.BINARY
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(raw) as cursor:
        yield cursor


def insert_rows(instances: Sequence[models.Model], *, skip_existing: bool = False) -> None:
    """Inserts unsaved instances of one model, the current tenant's unless they name theirs."""
    if not instances:
        return
    model = type(instances[0])
    fields = model._meta.local_concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    wires = [_wire(field) for field in fields]
    arrays = ", ".join(f"%b::{wire_type}[]" for wire_type, _ in wires)
    names = [f"c{n}" for n in range(len(fields))]
    values = ", ".join(
        expression.format(name) for name, (_, expression) in zip(names, wires, strict=True)
    )
    statement = (
        f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {values}'  # noqa: S608  names of our models
        f" FROM unnest({arrays}) AS rows({', '.join(names)})"
        f"{' ON CONFLICT DO NOTHING' if skip_existing else ''}"
    )
    with binary_cursor() as cursor:
        for start in range(0, len(instances), ROWS_A_STATEMENT):
            part = instances[start : start + ROWS_A_STATEMENT]
            cursor.execute(statement, [[_value(field, row) for row in part] for field in fields])


def _wire(field: Any) -> tuple[str, str]:
    """The type a column's values travel as, and the expression that makes them the column's own."""
    kind = str(field.db_type(connection)).split("(")[0]
    if str(field.db_type(connection)).endswith("[]"):
        return "text", "ARRAY(SELECT jsonb_array_elements_text({}::jsonb))"
    if kind in {"jsonb", "halfvec"}:
        return "text", "{}::" + kind
    return ("text", "{}") if kind == "varchar" else (kind, "{}")


def _value(field: Any, row: models.Model) -> Any:
    if field.attname == "tenant_id" and getattr(row, "tenant_id", None) is None:
        return current_tenant_id()
    value = field.pre_save(row, True)
    kind = str(field.db_type(connection))
    if kind.endswith("[]") or kind == "jsonb":
        return json.dumps(value, ensure_ascii=False)
    if kind.startswith("halfvec"):
        return "[" + ",".join(map("{:.6g}".format, value)) + "]"
    return value
