"""Connections to the model servers named in the settings, kept open and shared by a process."""

import os
import threading
from dataclasses import dataclass, field
from typing import Literal

import httpx

from furrow.core.egress import internal_client
from furrow.gateway.breaker import CircuitBreaker

Use = Literal["embeddings", "rerank", "chat", "receipts"]


@dataclass
class Connection:
    """One server. Each use has a breaker of its own: a stuck chat model must not end searching."""

    client: httpx.Client
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)


_connections: dict[tuple[Use, str, str, int], Connection] = {}
_lock = threading.Lock()


def connection_to(url: str, api_key: str, *, use: Use) -> Connection:
    """One connection pool and breaker a process; the process id keeps forked workers apart."""
    key = (use, url, api_key, os.getpid())
    with _lock:
        if key not in _connections:
            _connections[key] = Connection(internal_client(url, timeout_s=5.0, api_key=api_key))
        return _connections[key]


def connections_close() -> None:
    """Closes the connections and forgets past failures."""
    with _lock:
        for connection in _connections.values():
            connection.client.close()
        _connections.clear()
