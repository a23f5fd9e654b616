"""Statements of the hot path: one trip to the database each."""

from typing import Any

from django.db import connection


def one_row(sql: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The only row of a statement; a transaction of its own unless one is open."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
