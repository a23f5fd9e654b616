"""Fast writing and reading of many rows as the app role.

PostgreSQL refuses COPY FROM on tables under row-level security, so rows travel as one binary array a
column and are unnested by an INSERT, which the policies check like any other.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

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
    raw: Any = psycopg.Cursor(connection.connection)
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
    wires = [_wire(str(field.db_type(connection))) for field in fields]
    arrays = ", ".join(f"%b::{wire.type}[]" for wire in wires)
    names = [f"c{n}" for n in range(len(fields))]
    values = ", ".join(
        wire.expression.format(name) for name, wire in zip(names, wires, strict=True)
    )
    statement = (
        f'INSERT INTO "{model._meta.db_table}" ({columns}) SELECT {values}'  # noqa: S608  names of our models
        f" FROM unnest({arrays}) AS rows({', '.join(names)})"
        f"{' ON CONFLICT DO NOTHING' if skip_existing else ''}"
    )
    with binary_cursor() as cursor:
        for start in range(0, len(instances), ROWS_A_STATEMENT):
            part = instances[start : start + ROWS_A_STATEMENT]
            cursor.execute(
                statement,
                [_column(field, wire, part) for field, wire in zip(fields, wires, strict=True)],
            )


class _Wire(NamedTuple):
    """The type a column's values travel as, what makes them of it, and what makes them the column's."""

    type: str
    pack: Callable[[Any], Any] | None
    expression: str


def _wire(db_type: str) -> _Wire:
    kind = db_type.split("(")[0]
    if db_type.endswith("[]"):
        return _Wire("text", _json, "ARRAY(SELECT jsonb_array_elements_text({}::jsonb))")
    if kind == "jsonb":
        return _Wire("text", _json, "{}::jsonb")
    if kind == "halfvec":
        return _Wire("text", vector_literal, "{}::halfvec")
    return _Wire("text" if kind == "varchar" else kind, None, "{}")


def _column(field: Any, wire: _Wire, rows: Sequence[models.Model]) -> list[Any]:
    values = [field.pre_save(row, True) for row in rows]
    if field.attname == "tenant_id":
        return [value or current_tenant_id() for value in values]
    return values if wire.pack is None else [wire.pack(value) for value in values]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def vector_literal(vector: Iterable[float]) -> str:
    """As pgvector reads it; more digits than half precision keeps."""
    return "[" + ",".join(map("{:.6g}".format, vector)) + "]"
