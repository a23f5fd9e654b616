"""Around every request: an id, the key check, one log line, the counters."""

import hmac
import logging
import re
import time
import uuid
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.server.errors import Unauthorized
from inference.server.metrics import Metrics

log = logging.getLogger("inference.requests")

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z", re.ASCII)
# Probes and scrapers carry no key, and these answers hold nothing of a client's.
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
KNOWN_PATHS = OPEN_PATHS | {
    *("/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank"),
    *("/v1/models", "/receipts", "/openapi.json"),
}


def request_note(request: Request, **facts: int | str) -> None:
    """Add facts, never contents, to the request's log line."""
    request.state.facts.update(facts)


class RequestRecord:
    """Gives each request its id, and leaves one log line and the counters behind."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if REQUEST_ID.match(asked) else uuid.uuid4().hex
        facts: dict[str, Any] = {}
        scope.setdefault("state", {}).update(request_id=request_id, facts=facts)
        status = 500
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            # Unknown paths share one label: a scanner must not grow the metrics.
            route = scope["path"] if scope["path"] in KNOWN_PATHS else "other"
            self._metrics.request_seen(route, status, seconds)
            log.log(
                logging.DEBUG if route in OPEN_PATHS else logging.INFO,
                "request",
                extra={
                    "request_id": request_id,
                    "method": scope["method"],
                    "route": route,
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                    **facts,
                },
            )


class KeyCheck:
    """Refuses requests without one of the keys; without keys it lets all through."""

    def __init__(self, app: ASGIApp, keys: tuple[bytes, ...]) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = scope["type"] != "http" or scope["path"] in OPEN_PATHS or not self._keys
        if is_open or self._is_known(Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
            return
        refusal = Unauthorized("A valid API key is needed: Authorization: Bearer <key>.")
        await refusal.response()(scope, receive, send)

    def _is_known(self, header: str) -> bool:
        scheme, _, key = header.partition(" ")
        given = key.strip().encode()
        # Every key is compared, so that the time tells nothing about which one was near.
        matches = [hmac.compare_digest(given, known) for known in self._keys]
        return scheme.lower() == "bearer" and any(matches)
