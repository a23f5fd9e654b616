"""The suite's services and its cast: an owner, a teammate, a stranger of another tenant, a visitor."""

import fcntl
import gc
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import psycopg
import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import Client

from furrow.accounts.models import User
from furrow.core import redis as furrow_redis
from furrow.core import security
from furrow.core.addresses import database
from furrow.core.context import tenant_tx, unscoped
from furrow.dashboard.translations import compile_catalogues
from furrow.gateway import chat_async_http, chat_http, embeddings
from furrow.knowledge.parsing.runner import _Run
from furrow.ops import embedded
from furrow.tenants.models import AuditEntry, Membership, Role, Tenant
from furrow.tenants.services import SYSTEM, api_key_create
from tests.replay import made_once
from tests.warm_reader import WarmReaders

ROOT = Path(__file__).resolve().parent.parent
DATABASE_NAME = f"test_furrow_{os.getpid()}"
MOST_CONNECTIONS = 400
COLD_START = _Run._start

# Tests start dozens of interpreters. Where the environment forbids byte code, each of them, and each run of the
# suite, would compile some four thousand files again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


# Four thousand files are imported and nearly nothing of them is garbage.
gc.disable()


def pytest_configure(config: pytest.Config) -> None:
    """The fast part tries each law on a quarter of the examples, the whole suite on all of them."""
    if "not slow" in (config.option.markexpr or ""):
        hypothesis.settings.register_profile("fast", max_examples=25)
        hypothesis.settings.load_profile("fast")


def pytest_collection_finish() -> None:
    """What is imported and collected stays to the end: a million objects that no later collection need visit."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def _superuser_url() -> str:
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


def _point_at(alias: str, url: str) -> None:
    handler = connections[alias]
    handler.settings_dict.update(database(url))
    handler.settings_dict["OPTIONS"].pop("pool", None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """A fresh database a session, migrated by its owner and used by the app role, as in production."""
    superuser = _superuser_url()
    settings.DATABASE_APP_ROLE = "furrow_app"
    with django_db_blocker.unblock():
        _copy_of_template(superuser)
        _use(superuser, DATABASE_NAME)
        security.verify(connections["default"])
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{DATABASE_NAME}" WITH (FORCE)')


def _copy_of_template(superuser: str) -> None:
    """Migrating takes seconds, copying a migrated database does not. One template a state of the code, made once."""
    template = f"furrow_template_{_schema_digest()}"
    lock_file = ROOT / "var" / "test-postgres.lock"
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a") as lock, psycopg.connect(superuser, autocommit=True) as connection:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = connection.execute("SELECT datname FROM pg_database").fetchall()
        if (template,) not in rows:
            for (name,) in rows:
                if name.startswith("furrow_template_"):
                    connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{template}_draft"')
            _migrate(superuser, f"{template}_draft")
            connection.execute(f'ALTER DATABASE "{template}_draft" RENAME TO "{template}"')
        connection.execute(f'CREATE DATABASE "{DATABASE_NAME}" TEMPLATE "{template}"')


def _schema_digest() -> str:
    """Of everything that decides what a migrated database looks like."""
    platform = ROOT / "platform" / "furrow"
    sources = [*platform.rglob("migrations/*.py"), *platform.rglob("models*.py")]
    sources += [*platform.rglob("models/*.py"), platform / "core" / "security.py"]
    sources += [*(ROOT / "apps").rglob("migrations/*.py"), *(ROOT / "apps").rglob("models*.py")]
    digest = hashlib.sha256((ROOT / "constraints.txt").read_bytes())
    for path in sorted(set(sources)):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _migrate(superuser: str, name: str) -> None:
    _use(superuser, name)
    security.ensure_roles(connections["owner"], app_role="furrow_app")
    call_command("migrate", database="owner", verbosity=0)
    connections.close_all()


def _use(superuser: str, name: str) -> None:
    owner_url = superuser.replace("/postgres?", f"/{name}?")
    app_url = owner_url.replace("//postgres@", "//furrow_app@")
    _point_at("owner", owner_url)
    _point_at("default", app_url)
    os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"] = app_url, owner_url


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[str]:
    """An embedded Redis a session; its address stands in settings.REDIS_URL."""
    folder = Path(tempfile.mkdtemp(prefix="furrow-redis-"))
    process = embedded.redis_start(folder / "redis.sock", folder)
    url = f"unix://{folder / 'redis.sock'}"
    settings.REDIS_URL = url
    settings.CACHES["default"]["LOCATION"] = url
    settings.CELERY_BROKER_URL = url.replace("unix://", "redis+socket://", 1)
    from config.celery import app  # noqa: PLC0415  the broker address is known only now

    app.conf.broker_url = settings.CELERY_BROKER_URL
    furrow_redis.sync_redis.cache_clear()
    yield url
    furrow_redis.sync_redis().close()
    process.terminate()
    process.wait(10)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _empty_redis(redis_server: str) -> None:
    furrow_redis.sync_redis().flushdb()


@pytest.fixture(scope="session", autouse=True)
def _compiled_catalogue() -> None:
    """Pages outside the dashboard are Chinese too. One worker compiles, the other finds it done."""
    lock_file = ROOT / "var" / "catalogue.lock"
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        compile_catalogues()


@pytest.fixture(scope="session", autouse=True)
def _no_waits_and_warm_readers() -> Iterator[None]:
    """Many tests have no model server, and none is about how long a call waits before it tries again. Where
    the process that reads a file is itself in question, a test asks for `cold_readers`.
    """
    readers = WarmReaders()
    with pytest.MonkeyPatch.context() as patch:
        for module in (embeddings, chat_http, chat_async_http):
            patch.setattr(module, "RETRY_WAIT_S", 0.002)
        patch.setattr(_Run, "_start", lambda run, *job: readers.start(run, *job))
        yield
    readers.stop()


@pytest.fixture
def cold_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is read by a process that starts as in production."""
    monkeypatch.setattr(_Run, "_start", COLD_START)


@dataclass
class Cast:
    """Two tenants and the people around them."""

    tenant: Tenant
    owner: User
    teammate: User
    viewer: User
    other_tenant: Tenant
    stranger: User

    def client(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client


@pytest.fixture
def cast(db: None) -> Cast:
    """What `user_ensure` and `tenant_create` make, which a test compares: written in nine queries instead of
    seventy, for two of three tests begin with it.
    """
    return made_once("cast", _cast)


def _cast() -> Cast:
    owner, teammate, viewer, stranger = people = [
        User(email=f"{name}@example.test", name=name.title())
        for name in ("owner", "teammate", "viewer", "stranger")
    ]
    for person in people:
        person.set_unusable_password()
    orchard, rival = tenants = [
        Tenant(name=name, slug=name.lower(), language="zh-hans") for name in ("Orchard", "Rival")
    ]
    User.objects.bulk_create(people)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=person, email=person.email, verified=True, primary=True)
        for person in people
    )
    with unscoped("the cast of the tests"):
        Tenant.objects.bulk_create(tenants)
        Membership.objects.bulk_create(
            Membership(tenant=tenant, user=person, role=role)
            for tenant, person, role in (
                (orchard, owner, Role.OWNER),
                (rival, stranger, Role.OWNER),
                (orchard, teammate, Role.STAFF),
                (orchard, viewer, Role.VIEWER),
            )
        )
        AuditEntry.objects.bulk_create(
            AuditEntry(
                tenant=tenant,
                actor_kind=SYSTEM.kind,
                action="tenant.created",
                object_type="tenant",
                object_id=str(tenant.id),
            )
            for tenant in tenants
        )
    return Cast(orchard, owner, teammate, viewer, rival, stranger)


ALL_SCOPES = [
    "knowledge:read",
    "knowledge:write",
    "assistants:read",
    "assistants:write",
    "conversations:read",
    "conversations:write",
    "models:use",
    "usage:read",
    "usage:write",
    "webhooks:read",
    "webhooks:write",
]


def _api_client(tenant: Tenant) -> Client:
    with tenant_tx(tenant.id):
        _, secret = api_key_create(actor=SYSTEM, name="test", scopes=ALL_SCOPES)
    return Client(headers={"Authorization": f"Bearer {secret}"})


@pytest.fixture
def api(cast: Cast) -> Client:
    """A client with a key of the first tenant and every scope."""
    return _api_client(cast.tenant)


@pytest.fixture
def stranger_api(cast: Cast) -> Client:
    """The same for the other tenant."""
    return _api_client(cast.other_tenant)
