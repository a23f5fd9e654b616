"""The guide's own lines, run on a server of their own: roles, migrations, walls, backup and restore."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from furrow.ops import embedded

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@dataclass
class Server:
    """A PostgreSQL that nothing but the guide has touched."""

    superuser: str
    binaries: Path
    files: Path

    def url(self, role: str, database: str = "furrow") -> str:
        return self.superuser.replace("//postgres@/postgres?", f"//{role}:secret@/{database}?")

    def manage(
        self, command: str, *, app: str = "furrow_app", owner: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """`manage.py` as the guide calls it; without an `owner`, as a container that has no business with one."""
        env = {
            **{k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}},
            "FURROW_ENV": "production",
            "SECRET_KEY": "only-for-this-test",
            "EMBEDDINGS_API_KEY": "only-for-this-test",
            "EMBEDDINGS_URL": "http://127.0.0.1:9/v1",
            "REDIS_URL": "redis://127.0.0.1:9/0",
            "FILES_DIR": str(self.files),
            "DATABASE_URL": self.url(app),
            "DATABASE_OWNER_URL": self.url(owner) if owner else "",
        }
        return subprocess.run(
            [sys.executable, "manage.py", command],
            cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def prepare(
        self, *, app: str = "furrow_app", owner: str = "furrow_owner"
    ) -> subprocess.CompletedProcess[str]:
        return self.manage("prepare_database", app=app, owner=owner)

    def tool(self, name: str, *arguments: str, **options: object) -> None:
        host = self.superuser.split("host=")[1]
        subprocess.run(
            [str(self.binaries / name), "--host", host, "--username", "postgres", *arguments],
            check=True, capture_output=True, timeout=60, **options,
        )  # type: ignore[call-overload]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="furrow-guide-"))
    superuser = embedded.postgres_start(folder / "postgres")
    with psycopg.connect(superuser) as connection:
        row = connection.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchone()
    assert row is not None
    yield Server(superuser, Path(row[0]), folder / "files")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def guide(deploy_guide: str, server: Server) -> Server:
    """The server after step 2 of the guide."""
    block = re.search(r"```sql\n(.*?)```", deploy_guide, re.DOTALL)
    assert block is not None
    before, after = block.group(1).split("\\connect furrow\n")
    with psycopg.connect(server.superuser, autocommit=True) as connection:
        for statement in filter(str.strip, before.split(";")):
            connection.execute(statement)
    furrow = server.superuser.replace("/postgres?", "/furrow?")
    with psycopg.connect(furrow, autocommit=True) as connection:
        connection.execute(after)
    return server


@pytest.fixture(scope="module")
def deploy_guide() -> str:
    return (ROOT / "deploy" / "bare-metal.md").read_text(encoding="utf-8")


def _rows_seen(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM tenants_tenant").fetchone()
    assert row is not None
    return int(row[0])


def test_guide_makes_a_database_that_walls_the_app_role_in(guide: Server) -> None:
    done = guide.prepare()
    assert done.returncode == 0, done.stderr
    assert "ready for the role furrow_app" in done.stdout
    with psycopg.connect(guide.url("furrow_owner")) as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles"
            " WHERE rolname IN ('furrow_app', 'furrow_owner', 'furrow_maintenance')"
        ).fetchall()
        assert sorted(roles) == [
            ("furrow_app", False),
            ("furrow_maintenance", False),
            ("furrow_owner", False),
        ]
        connection.execute(
            "INSERT INTO tenants_tenant"
            " (id, name, slug, language, is_suspended, hidden_trades, created_at) VALUES"
            " (gen_random_uuid(), 'Shop', 'shop', 'en', false, '{}', now()) ON CONFLICT DO NOTHING"
        )
    assert _rows_seen(guide.url("furrow_owner")) == 1
    assert _rows_seen(guide.url("furrow_app")) == 0

    again = guide.prepare()
    assert again.returncode == 0, again.stderr


def test_doctor_names_what_is_down_and_needs_no_owner(guide: Server) -> None:
    assert guide.prepare().returncode == 0
    found = guide.manage("doctor").stdout
    assert "✓ Tables: all applied" in found
    assert "✓ Tenant walls: every tenant table forces row-level security" in found
    assert "✗ Redis: It does not answer." in found
    assert "✗ Model server: It does not answer." in found
    assert "free for uploads" in found


def test_one_role_for_both_is_refused(guide: Server) -> None:
    refused = guide.prepare(app="furrow_owner")
    assert refused.returncode == 1
    assert "name the same role" in refused.stderr


def test_superuser_as_app_role_is_refused(guide: Server) -> None:
    refused = guide.prepare(app="postgres")
    assert refused.returncode == 1
    assert "The database is not ready" in refused.stderr


def test_backup_of_the_guide_restores_with_its_walls(
    guide: Server, deploy_guide: str, tmp_path: Path
) -> None:
    assert guide.prepare().returncode == 0
    before = _rows_seen(guide.url("furrow_owner"))
    dump = tmp_path / "furrow.dump"
    guide.tool("pg_dump", "--format=custom", "--file", str(dump), "furrow")

    guide.tool("dropdb", "--force", "furrow")
    guide.tool("createdb", "--owner=furrow_owner", "furrow")
    guide.tool("psql", "--dbname=furrow", "--command=CREATE EXTENSION vector")
    line = re.search(r"pg_restore (.*) < FILE\.dump", deploy_guide)
    assert line is not None
    guide.tool("pg_restore", *line.group(1).split(), str(dump))

    done = guide.prepare()
    assert done.returncode == 0, done.stderr
    assert _rows_seen(guide.url("furrow_owner")) == before
    assert _rows_seen(guide.url("furrow_app")) == 0
