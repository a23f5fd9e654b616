"""The suite's PostgreSQL, and a migrated database to copy for each run.

Migrating takes some seconds of two processors, copying a fraction of one. The copy's original stays in the
cluster from run to run, under the fingerprint of the code that shapes it.
"""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from furrow.ops import embedded

ROOT = Path(__file__).resolve().parent.parent
MOST_CONNECTIONS = 400
TEMPLATE = "furrow_template_"
# Any number will do, as long as every run takes the same one.
TEMPLATE_LOCK = 7_239_114


def superuser_url() -> str:
    """Starts or joins the cluster under var/, unless the environment names another one."""
    if url := os.environ.get("TEST_DATABASE_OWNER_URL"):
        return url
    folder = ROOT / "var" / "test-postgres"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "test-postgres.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        url = embedded.postgres_start(folder)
        with psycopg.connect(url, autocommit=True) as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {name} = off")
            row = connection.execute("SHOW max_connections").fetchone()
            is_small = row is not None and int(row[0]) < MOST_CONNECTIONS
            if is_small:
                connection.execute(f"ALTER SYSTEM SET max_connections = {MOST_CONNECTIONS}")
            connection.execute("SELECT pg_reload_conf()")
        if is_small:
            _restart(folder)
    return url


def _restart(folder: Path) -> None:
    """Once in the life of a test cluster: tests with a hundred clients need room beside each other."""
    postmaster = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
    command = str(Path(postmaster.exe()).parent / "pg_ctl")
    subprocess.run(
        [command, "restart", "-m", "fast", "-w", "-D", str(folder), "-l", str(folder / "log")],
        user=postmaster.uids().real,
        group=postmaster.gids().real,
        cwd="/",
        check=True,
        timeout=60,
        stdout=subprocess.DEVNULL,
    )


def database_copy(superuser: str, name: str, *, migrate: Callable[[str], None]) -> None:
    """Makes database `name` as a copy of the migrated one. Where that is missing, `migrate` is called with the
    name of an empty database and must leave no connection to it behind.
    """
    template = TEMPLATE + _fingerprint()
    with psycopg.connect(superuser, autocommit=True) as connection:
        # Held to the end: a database that somebody copies cannot be renamed, and the other way round.
        connection.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        if not _exists(connection, template):
            _drop_older(connection)
            _build(connection, superuser, template, migrate)
        _run(connection, "CREATE DATABASE {} TEMPLATE {}", name, template)


def database_drop(superuser: str, name: str) -> None:
    with psycopg.connect(superuser, autocommit=True) as connection:
        _run(connection, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def url_of(superuser: str, name: str, user: str = "postgres") -> str:
    return superuser.replace("/postgres?", f"/{name}?").replace("//postgres@", f"//{user}@")


def _fingerprint() -> str:
    """Of everything that has a say in the schema: models, migrations, policies, and Django's own tables."""
    digest = hashlib.sha256()
    for package in ("django", "django-allauth", "pgvector"):
        digest.update(f"{package}=={version(package)}\n".encode())
    for root in (ROOT / "platform", ROOT / "apps"):
        for path in sorted(root.rglob("*.py")):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _build(
    connection: psycopg.Connection, superuser: str, template: str, migrate: Callable[[str], None]
) -> None:
    """Under another name until it is whole, so that a run that was stopped leaves nothing to be copied."""
    unfinished = f"{TEMPLATE}unfinished"
    _run(connection, "DROP DATABASE IF EXISTS {} WITH (FORCE)", unfinished)
    _run(connection, "CREATE DATABASE {}", unfinished)
    migrate(unfinished)
    _run(connection, "ALTER DATABASE {} RENAME TO {}", unfinished, template)


def _drop_older(connection: psycopg.Connection) -> None:
    names = connection.execute(
        "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [TEMPLATE]
    ).fetchall()
    for (name,) in names:
        _run(connection, "DROP DATABASE {} WITH (FORCE)", name)


def _exists(connection: psycopg.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


def _run(connection: psycopg.Connection, statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))
