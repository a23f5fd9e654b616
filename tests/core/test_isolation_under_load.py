"""Two tenants, 100 interleaved requests over a pool of two connections, with failures injected: no leak."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client

from furrow.api import render
from furrow.core.context import tenant_tx, unscoped
from furrow.knowledge.models import KnowledgeBase
from furrow.tenants.models import SCOPES, Tenant
from furrow.tenants.services import SYSTEM, api_key_create, tenant_create

REQUESTS = 100
THREADS = 8


class Injected(RuntimeError):
    """A failure in the middle of a tenant's transaction."""


@pytest.fixture
def pool_of_two(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Real commits over two pooled connections, cleaned up by hand: the app role may not truncate."""
    with django_db_blocker.unblock():
        settings = connections["default"].settings_dict
        connections["default"].close()
        settings["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 2, "timeout": 30}
        try:
            yield
        finally:
            with unscoped("clean up after the load test"):
                Tenant.objects.all().delete()
            connections["default"].close()
            for pool in DatabaseWrapper._connection_pools.values():
                pool.close()
            DatabaseWrapper._connection_pools.clear()
            settings["OPTIONS"].pop("pool")


def make_tenant(name: str) -> tuple[Client, str]:
    tenant = tenant_create(name=name, slug=name)
    with tenant_tx(tenant.id):
        _, secret = api_key_create(actor=SYSTEM, name="k", scopes=list(SCOPES))
        for number in range(3):
            KnowledgeBase.objects.create(name=f"canary-{name}-{number}")
    return Client(
        headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False
    ), f"canary-{name}-"


def test_no_leak_between_tenants_sharing_connections(pool_of_two, monkeypatch):
    chance = random.Random(7)
    lock = threading.Lock()
    rendered = render.knowledge_base

    def failing_now_and_then(row: KnowledgeBase) -> dict[str, Any]:
        with lock:
            fails = chance.random() < 0.1
        if fails:
            raise Injected("in the middle of a transaction")
        return rendered(row)

    monkeypatch.setattr(render, "knowledge_base", failing_now_and_then)
    parties = [make_tenant("alpha"), make_tenant("beta")]
    backends: set[int] = set()

    def one_request(index: int) -> tuple[int, list[str], str, int]:
        client, canary = parties[index % 2]
        response = client.get("/api/v1/knowledge-bases")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), pg_backend_pid() FROM knowledge_knowledgebase")
            left_over, pid = cursor.fetchone()
        backends.add(pid)
        connection.close()
        items = response.json().get("items", [])
        return response.status_code, [item["name"] for item in items], canary, left_over

    with ThreadPoolExecutor(THREADS) as threads:
        results = list(threads.map(one_request, range(REQUESTS)))
    statuses = [status for status, *_ in results]
    assert statuses.count(500) > 5
    assert statuses.count(200) > 50
    assert len(backends) <= 2
    for _, names, canary, left_over in results:
        assert left_over == 0, "a connection came back from the pool with a tenant set"
        assert all(name.startswith(canary) for name in names)
