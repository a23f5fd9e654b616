"""Rows that many tests begin with: made through the services once a process, written again in one go after that.

What a service writes is recorded statement by statement, with what it left in Redis, while it works for the
first test. Each later test gets the same rows, under the same ids, in one trip to the database and no reading
of files, and its own copy of the objects.
"""

import pickle
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import mogrify

from furrow.core import redis as furrow_redis
from furrow.core.context import MAINTENANCE_ROLE, TENANT_SETTING, tenant_id_or_none, unscoped
from furrow.core.models import Job

# What only looks; the savepoints, of which none was needed (see `_recorded`); and what concerns jobs: which one is
# claimed depends on the clock, so that their rows are kept as they were at the end.
_LEFT_OUT = re.compile(
    r"\s*(SELECT(?!.*(set_config|metering_))|SHOW|SAVEPOINT|RELEASE|.*core_job\b)", re.S
)
_made: dict[str, "_Recording"] = {}
T = TypeVar("T")


@dataclass
class _Recording:
    script: str
    redis: dict[bytes, tuple[bytes, int]]
    objects: bytes


def made_once(name: str, make: Callable[[], T]) -> T:
    """What `make` gives, with its rows in the test's transaction. `make` must do the same each time it is called:
    what a test varies is done after this.
    """
    recording = _made.get(name)
    if recording is None:
        with _recorded() as statements:
            made = make()
        script = ";\n".join([*statements, _jobs()])
        recording = _Recording(script, _redis_dump(), pickle.dumps(made))
        _made[name] = recording
    else:
        _write(recording)
    again: T = pickle.loads(recording.objects)  # noqa: S301  our own, of a moment ago
    return again


@contextmanager
def _recorded() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith("ROLLBACK"):
            raise RuntimeError("What is made once must not roll back: its savepoints are left out")
        if not _LEFT_OUT.match(sql):
            for values in params if many else [params]:
                statements.append(mogrify(sql, values, connection) if values else sql)
        return result

    with connection.execute_wrapper(note):
        yield statements


def _jobs() -> str:
    columns = [field.column for field in Job._meta.local_concrete_fields]
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns)
    with unscoped("keep the jobs of a test"), connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(json_agg(j), '[]')::text FROM core_job j")
        (rows,) = cursor.fetchone()
    write = (
        "INSERT INTO core_job SELECT * FROM json_populate_recordset(NULL::core_job, %s::json)"
        f" ON CONFLICT (id) DO UPDATE SET {changes}"
    )
    insert = mogrify(write, [rows], connection)
    return f"SET LOCAL ROLE {MAINTENANCE_ROLE};\n{insert};\nSET LOCAL ROLE NONE"


def _redis_dump() -> dict[bytes, tuple[bytes, int]]:
    client = furrow_redis.sync_redis()
    return {key: (client.dump(key), max(client.pttl(key), 0)) for key in client.scan_iter()}


def _write(recording: _Recording) -> None:
    # Made outside a transaction it did not put back the tenant of the one it may now run in.
    back = f"SELECT set_config('{TENANT_SETTING}', '{tenant_id_or_none() or ''}', true)"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{recording.script};\n{back}")
    if recording.redis:
        pipeline = furrow_redis.sync_redis().pipeline()
        for key, (value, ttl) in recording.redis.items():
            pipeline.restore(key, ttl, value, replace=True)
        pipeline.execute()
