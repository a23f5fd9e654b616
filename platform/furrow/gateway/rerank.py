"""Reranking by the model server: how well each text answers a question."""

from collections.abc import Sequence
from typing import Any

import httpx
from django.conf import settings

from furrow.core.errors import UpstreamFailed
from furrow.gateway.breaker import CircuitBreaker
from furrow.gateway.connections import connection_to
from furrow.gateway.isolation import tenant_tag
from furrow.gateway.metered import MeteredCall, metered
from furrow.gateway.usage import embedding_count
from furrow.metering.holds import Bounds

# A visitor waits: without an answer by then the order of the search stands.
TIMEOUT_S = 3.0


def rerank_texts(query: str, texts: Sequence[str]) -> list[float]:
    """A score for each text, in order, paid by the current tenant; scores of one call can be compared. Raises
    `UpstreamFailed` and `LimitReached`, asks once, and must not be called inside a transaction.
    """
    model = settings.RERANK_MODEL
    connection = connection_to(settings.RERANK_URL, settings.EMBEDDINGS_API_KEY, use="rerank")
    # The question is read again with every text.
    sizes = [len(query.encode()) + len(text.encode()) + 4 for text in texts]
    with metered(model=model, kind="rerank", bounds=Bounds(sum(sizes))) as call:
        connection.breaker.before_call()
        body = {"model": model, "query": query, "documents": list(texts)}
        response = _post(connection.client, connection.breaker, body, call)
        counted = embedding_count(_message(response), sum(sizes) // 4)
        call.delivered(counted.usage, basis=counted.basis)
        scores = _scores(_message(response), len(texts))
    connection.breaker.succeeded()
    return scores


def _post(
    client: httpx.Client, breaker: CircuitBreaker, body: dict[str, Any], call: MeteredCall
) -> httpx.Response:
    headers = {"X-Priority": "interactive", "X-Request-Id": call.next_attempt()}
    if tag := tenant_tag():
        headers["X-Tenant"] = tag
    try:
        response = client.post("/rerank", json=body, headers=headers, timeout=TIMEOUT_S)
    except httpx.HTTPError as error:
        breaker.failed()
        call.failed(is_doubtful=not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout))
        raise UpstreamFailed(
            "The reranking server cannot be reached.", code="rerank_unavailable"
        ) from error
    if response.status_code != 200:
        # A busy server is alive; one that refuses this model will refuse it again.
        if response.status_code >= 500 and response.status_code != 503:
            breaker.failed()
        call.failed(is_doubtful=response.status_code >= 500 and response.status_code != 503)
        raise UpstreamFailed(
            "The reranking server refused the request.",
            code="rerank_refused",
            permanent=response.status_code < 429,
            upstream_status=response.status_code,
        )
    return response


def _message(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _scores(message: Any, expected: int) -> list[float]:
    """In the order of the texts; anything odd about the answer is a failure."""
    try:
        found = {int(row["index"]): float(row["relevance_score"]) for row in message["results"]}
        return [found[place] for place in range(expected)]
    except (KeyError, TypeError, ValueError):
        raise UpstreamFailed(
            "The reranking server gave an answer that cannot be used.",
            code="rerank_unusable",
            permanent=True,
        ) from None
