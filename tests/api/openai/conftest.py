"""`/v1` over real HTTP: the application in a server, committed rows, a scripted model server, a real worker."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest
import uvicorn

from furrow.core.context import tenant_tx
from furrow.tenants.models import Tenant
from furrow.tenants.services import SYSTEM, api_key_create, tenant_create
from tests import fixtures_chat, fixtures_embeddings
from tests.channels.live import committed_rows
from tests.replay import made_once

_chat_process = fixtures_chat._chat_process
chat_server = fixtures_chat.chat_server
_embedding_process = fixtures_embeddings._embedding_process
embedding_server = fixtures_embeddings.embedding_server


@dataclass
class Live:
    """Two tenants, each with a key that may do everything."""

    url: str
    tenant: Tenant
    secret: str
    other_tenant: Tenant
    other_secret: str
    closing: contextlib.ExitStack

    def client(self, secret: str | None = None, **options: Any) -> openai.OpenAI:
        options.setdefault("max_retries", 0)
        client = openai.OpenAI(
            base_url=f"{self.url}/v1",
            api_key=self.secret if secret is None else secret,
            timeout=20,
            **options,
        )
        return self.closing.enter_context(client)

    def http(self, secret: str | None = None) -> httpx.Client:
        key = self.secret if secret is None else secret
        headers = {"Authorization": f"Bearer {key}"}
        client = httpx.Client(base_url=f"{self.url}/v1", headers=headers, timeout=20)
        return self.closing.enter_context(client)


class QuickServer(uvicorn.Server):
    """Looks every few milliseconds, not ten times a second, whether it is to stop."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(0.005)


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The whole application on ASGI, started and stopped as in production; its address."""
    from config.asgi import application  # noqa: PLC0415  needs the suite's settings

    config = uvicorn.Config(
        application, port=0, log_level="error", lifespan="on", timeout_graceful_shutdown=5
    )
    server = QuickServer(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def key_of(tenant: Tenant, *scopes: str) -> str:
    with tenant_tx(tenant.id):
        _, secret = api_key_create(actor=SYSTEM, name="test", scopes=list(scopes))
    return secret


EVERYTHING = ("models:use", "conversations:write", "conversations:read", "knowledge:read")


@pytest.fixture
def live(django_db_setup: None, django_db_blocker: Any, chat_server: Any) -> Iterator[Live]:
    with committed_rows(django_db_blocker), serving() as url, contextlib.ExitStack() as closing:
        tenants = made_once("live", _tenants)
        yield Live(url, *tenants, closing)


def _tenants() -> tuple[Tenant, str, Tenant, str]:
    tenant, other = (tenant_create(name=name, slug=name) for name in ("orchard", "rival"))
    return tenant, key_of(tenant, *EVERYTHING), other, key_of(other, *EVERYTHING)
