"""The suite's services and its cast: an owner, a teammate, a stranger of another tenant, a visitor."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import Client

from furrow.accounts.models import User
from furrow.accounts.services import user_ensure
from furrow.core import redis as furrow_redis
from furrow.core import security
from furrow.core.addresses import database as address_parse
from furrow.core.context import tenant_tx
from furrow.ops import embedded
from furrow.tenants.models import Membership, Role, Tenant
from furrow.tenants.services import SYSTEM, api_key_create, tenant_create
from tests import database

DATABASE_NAME = f"test_furrow_{os.getpid()}"

# Tests start dozens of interpreters. Where the environment forbids byte code, each of them, and each run of the
# suite, would compile some four thousand files again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def _point_at(alias: str, url: str) -> None:
    handler = connections[alias]
    handler.settings_dict.update(address_parse(url))
    handler.settings_dict["OPTIONS"].pop("pool", None)


def _migrate(owner_url: str) -> None:
    _point_at("owner", owner_url)
    security.ensure_roles(connections["owner"], app_role="furrow_app")
    call_command("migrate", database="owner", verbosity=0)
    connections["owner"].close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """A fresh database a session, migrated by its owner and used by the app role, as in production."""
    superuser = database.superuser_url()
    owner_url, app_url = (
        database.url_of(superuser, DATABASE_NAME, user) for user in ("postgres", "furrow_app")
    )
    settings.DATABASE_APP_ROLE = "furrow_app"
    os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"] = app_url, owner_url
    with django_db_blocker.unblock():
        database.database_copy(
            superuser,
            DATABASE_NAME,
            migrate=lambda name: _migrate(database.url_of(superuser, name)),
        )
        _point_at("owner", owner_url)
        _point_at("default", app_url)
        security.verify(connections["default"])
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    database.database_drop(superuser, DATABASE_NAME)


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
    owner, teammate, viewer, stranger = (
        user_ensure(email=f"{name}@example.test", name=name.title(), is_verified=True)
        for name in ("owner", "teammate", "viewer", "stranger")
    )
    tenant = tenant_create(name="Orchard", owner=owner, slug="orchard")
    other = tenant_create(name="Rival", owner=stranger, slug="rival")
    with tenant_tx(tenant.id):
        Membership.objects.create(user=teammate, role=Role.STAFF)
        Membership.objects.create(user=viewer, role=Role.VIEWER)
    return Cast(tenant, owner, teammate, viewer, other, stranger)


ALL_SCOPES = [
    "knowledge:read",
    "knowledge:write",
    "assistants:read",
    "assistants:write",
    "conversations:read",
    "conversations:write",
    "usage:read",
    "usage:write",
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
