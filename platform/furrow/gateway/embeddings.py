"""Embeddings from the model server, the only code that asks it for vectors."""

import base64
import binascii
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import numpy as np
from django.conf import settings

from furrow.core.errors import UpstreamFailed
from furrow.gateway.breaker import CircuitBreaker
from furrow.gateway.connections import connection_to
from furrow.gateway.isolation import tenant_tag
from furrow.gateway.metered import MeteredCall, metered
from furrow.gateway.usage import Counted, embedding_count
from furrow.metering.holds import Bounds

BATCH_SIZE = 64
RETRY_WAIT_S = 0.2
MAX_RETRY_WAIT_S = 10.0

Priority = Literal["interactive", "batch"]


@dataclass(frozen=True)
class _Patience:
    """How long a whole call may take and how often one request is tried."""

    timeout_s: float
    tries: int


_PATIENCE: dict[str, _Patience] = {
    "interactive": _Patience(timeout_s=5.0, tries=2),
    "batch": _Patience(timeout_s=60.0, tries=4),
}


def embed_texts(
    texts: Sequence[str], *, model: str | None = None, priority: Priority = "interactive"
) -> list[list[float]]:
    """One vector for each text, in order, paid by the current tenant. Raises `UpstreamFailed` (`permanent` when
    asking again is no use) and `LimitReached` when a budget is used up or the model has no price. Never call
    it inside a transaction.

    An interactive call ends within 5 s, whatever happens; a batch call allows 60 s for each 64 texts.
    """
    return embed_counted(texts, model=model, priority=priority)[0]


def embed_counted(
    texts: Sequence[str], *, model: str | None = None, priority: Priority = "interactive"
) -> tuple[list[list[float]], int]:
    """The same, with the tokens that were paid for it."""
    connection = connection_to(
        settings.EMBEDDINGS_URL, settings.EMBEDDINGS_API_KEY, use="embeddings"
    )
    server = _Server(connection.client, connection.breaker)
    vectors: list[list[float]] = []
    tokens = 0
    name = model or settings.EMBEDDINGS_MODEL
    for start in range(0, len(texts), BATCH_SIZE):
        batch = list(texts[start : start + BATCH_SIZE])
        bounds = Bounds(sum(map(_most_tokens, batch)))
        with metered(model=name, kind="embedding", bounds=bounds) as call:
            vectors += server.embed(batch, name, priority, call)
        tokens += call.used.total if call.used else 0
    return vectors, tokens


def _most_tokens(text: str) -> int:
    """No tokenizer makes more tokens than there are bytes, and its marks around them."""
    return len(text.encode()) + 2


def _likely_tokens(text: str) -> int:
    """For a server that does not count: a token for each wide character and for each four others."""
    wide = sum(character > "\u2e7f" for character in text)
    return wide + (len(text) - wide + 3) // 4 + 2


@dataclass(frozen=True)
class _Server:
    client: httpx.Client
    breaker: CircuitBreaker

    def embed(
        self, texts: list[str], model: str, priority: Priority, call: MeteredCall
    ) -> list[list[float]]:
        patience = _PATIENCE[priority]
        body = {"model": model, "input": texts, "encoding_format": "base64"}
        deadline = time.monotonic() + patience.timeout_s
        attempt = 0
        while True:
            attempt += 1
            self.breaker.before_call()
            headers = _headers(priority, call.next_attempt())
            try:
                outcome = self._post(body, headers, deadline)
            except UpstreamFailed:
                call.failed(is_doubtful=False)
                raise
            if isinstance(outcome, httpx.Response):
                # The work was done, whether or not its result can be used.
                counted = _counted(outcome, texts)
                call.delivered(counted.usage, basis=counted.basis)
                vectors = _vectors(outcome, len(texts))
                self.breaker.succeeded()
                return vectors
            call.failed(is_doubtful=outcome.is_doubtful)
            wait_s = min(outcome.wait_s or RETRY_WAIT_S * 2**attempt, MAX_RETRY_WAIT_S)
            if attempt == patience.tries or time.monotonic() + wait_s >= deadline:
                raise UpstreamFailed(outcome.reason, code="embeddings_unavailable")
            time.sleep(wait_s)

    def _post(
        self, body: dict[str, Any], headers: dict[str, str], deadline: float
    ) -> "httpx.Response | _TryAgain":
        timeout_s = max(deadline - time.monotonic(), 0.05)
        try:
            response = self.client.post(
                "/embeddings", json=body, headers=headers, timeout=timeout_s
            )
        except httpx.HTTPError as error:
            self.breaker.failed()
            is_doubtful = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            return _TryAgain("The embedding server cannot be reached.", is_doubtful=is_doubtful)
        if response.status_code == 200:
            return response
        if response.status_code == 429 or response.status_code >= 500:
            # A busy server is alive: only the other failures count towards leaving it alone.
            if response.status_code not in {429, 503}:
                self.breaker.failed()
            return _TryAgain(
                "The embedding server is busy or failing.",
                _retry_after(response),
                is_doubtful=response.status_code not in {429, 503},
            )
        self.breaker.succeeded()
        raise UpstreamFailed(
            "The embedding server refused the request.",
            code="embeddings_refused",
            permanent=True,
            upstream_status=response.status_code,
        )


@dataclass(frozen=True)
class _TryAgain:
    """`is_doubtful`: the server may have done the work."""

    reason: str
    wait_s: float | None = None
    is_doubtful: bool = False


def _headers(priority: Priority, request_id: str) -> dict[str, str]:
    headers: dict[str, str] = {"X-Priority": priority, "X-Request-Id": request_id}
    if tag := tenant_tag():
        headers["X-Tenant"] = tag
    return headers


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return max(float(response.headers.get("retry-after", "")), 0.0)
    except ValueError:
        return None


def _counted(response: httpx.Response, texts: list[str]) -> Counted:
    try:
        message = response.json()
    except ValueError:
        message = None
    return embedding_count(message, sum(map(_likely_tokens, texts)))


def _vectors(response: httpx.Response, expected: int) -> list[list[float]]:
    """The answer's vectors in the order of the inputs; anything odd about it is a failure."""
    try:
        rows = sorted(response.json()["data"], key=lambda row: row["index"])
        vectors = [_vector(row["embedding"]) for row in rows]
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise _unusable() from None
    sizes = {len(vector) for vector in vectors}
    if len(vectors) != expected or len(sizes) > 1 or 0 in sizes:
        raise _unusable()
    return vectors


def _vector(encoded: str | list[float]) -> list[float]:
    """Servers that do not know base64 answer with numbers."""
    if isinstance(encoded, str):
        values = np.frombuffer(base64.b64decode(encoded, validate=True), "<f4")
    else:
        values = np.asarray(encoded, np.float32)
    if not np.isfinite(values).all():
        raise ValueError("not finite")
    numbers: list[float] = values.tolist()
    return numbers


def _unusable() -> UpstreamFailed:
    return UpstreamFailed(
        "The embedding server gave an answer that cannot be used.",
        code="embeddings_unusable",
        permanent=True,
    )
