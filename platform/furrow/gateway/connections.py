"""Connections to the model servers named in the settings, kept open and shared by a process."""

import asyncio
import os
import threading
from dataclasses import dataclass, field
from typing import Literal
from weakref import WeakKeyDictionary

import httpx

from furrow.core.egress import internal_client
from furrow.core.wire import Server
from furrow.gateway.breaker import CircuitBreaker

Use = Literal["embeddings", "rerank", "chat", "receipts"]


@dataclass
class Connection:
    """One server. Each use has a breaker of its own: a stuck chat model must not end searching."""

    client: httpx.Client
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)


@dataclass
class AsyncConnection:
    """The same for one event loop."""

    server: Server
    breaker: CircuitBreaker


_connections: dict[tuple[Use, str, str, int], Connection] = {}
_async_connections: WeakKeyDictionary[
    asyncio.AbstractEventLoop, dict[tuple[Use, str, str], AsyncConnection]
] = WeakKeyDictionary()
_lock = threading.Lock()


def connection_to(url: str, api_key: str, *, use: Use) -> Connection:
    """One connection pool and breaker a process; the process id keeps forked workers apart."""
    key = (use, url, api_key, os.getpid())
    with _lock:
        if key not in _connections:
            _connections[key] = Connection(internal_client(url, timeout_s=5.0, api_key=api_key))
        return _connections[key]


def async_connection_to(url: str, api_key: str, *, use: Use) -> AsyncConnection:
    """For the running event loop. It shares its breaker with the threads: a dead server is dead for both."""
    breaker = connection_to(url, api_key, use=use).breaker
    with _lock:
        of_loop = _async_connections.setdefault(asyncio.get_running_loop(), {})
        known = of_loop.get((use, url, api_key))
        if known is None or known.breaker is not breaker:
            server = Server(url, api_key=api_key)
            known = of_loop[use, url, api_key] = AsyncConnection(server, breaker)
        return known


def connections_close() -> None:
    """Closes the connections and forgets past failures. An event loop closes its own."""
    with _lock:
        for connection in _connections.values():
            connection.client.close()
        _connections.clear()


async def async_connections_close() -> None:
    """Those of the running event loop, before it ends."""
    with _lock:
        of_loop = _async_connections.pop(asyncio.get_running_loop(), {})
    for connection in of_loop.values():
        await connection.server.aclose()
