"""Reranking through a real HTTP server: the order follows it, and its absence costs a note only."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from furrow.core.context import tenant_context, tenant_tx
from furrow.core.errors import UpstreamFailed
from furrow.gateway.connections import connections_close
from furrow.gateway.rerank import rerank_texts
from furrow.knowledge.reranking import reranked
from furrow.knowledge.search import Hit
from furrow.metering.models import UsageEvent


class _Answer(BaseHTTPRequestHandler):
    """Scores a text by how often it holds the question; `reply` replaces the answer."""

    reply: bytes | None = None
    status = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = [
            {"index": place, "relevance_score": float(text.count(body["query"]))}
            for place, text in enumerate(body["documents"])
        ]
        rows.sort(key=lambda row: -row["relevance_score"])
        answer = {"results": rows, "usage": {"prompt_tokens": 42, "total_tokens": 42}}
        content = self.reply or json.dumps(answer).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def server(settings: Any) -> Iterator[type[_Answer]]:
    connections_close()
    _Answer.reply, _Answer.status = None, 200
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    settings.RERANK_URL = f"http://127.0.0.1:{running.server_port}/v1"
    settings.RERANK_MODEL = "fake-reranker"
    yield _Answer
    running.shutdown()
    running.server_close()
    thread.join(5)
    connections_close()


def hit(text: str, score: float) -> Hit:
    return Hit(
        chunk_id=None, document_id=None, version_id=None, knowledge_base_id=None, external_id="",  # type: ignore[arg-type]
        title="", score=score, scores={}, ranks={}, text=text, header="", heading_path=[], page=None, start=0, end=1,
        kind="text", matched_terms=[], pages=[],
    )  # fmt: skip


def test_scores_come_back_in_order_and_are_paid(server: Any, cast: Any) -> None:
    with tenant_context(cast.tenant.id):
        assert rerank_texts("pear", ["pear pear", "apple", "pear"]) == [2.0, 0.0, 1.0]
    with tenant_tx(cast.tenant.id):
        event = UsageEvent.objects.get()
        assert (event.kind, event.in_miss) == ("rerank", 42)


def test_hits_follow_the_model(server: Any, cast: Any) -> None:
    with tenant_context(cast.tenant.id):
        hits, notes = reranked("pear", [hit("apple", 0.9), hit("pear", 0.5)])
    assert ([h.text for h in hits], [h.score for h in hits]) == (["pear", "apple"], [0.9, 0.5])
    assert hits[0].scores["rerank"] == 1.0
    assert notes == []


@pytest.mark.parametrize("reply", [b"{}", b"no json", b'{"results": [{"index": 0}]}'])
def test_odd_answer_leaves_the_order(server: Any, cast: Any, reply: bytes) -> None:
    server.reply = reply
    with tenant_context(cast.tenant.id):
        hits, notes = reranked("pear", [hit("apple", 0.9), hit("pear", 0.5)])
    assert ([h.text for h in hits], notes) == (["apple", "pear"], ["rerank_unavailable"])


def test_refusal_is_an_upstream_failure(server: Any, cast: Any) -> None:
    server.status = 404
    with tenant_context(cast.tenant.id), pytest.raises(UpstreamFailed):
        rerank_texts("pear", ["a", "b"])


def test_absent_server_costs_a_note(settings: Any, cast: Any) -> None:
    settings.RERANK_URL, settings.RERANK_MODEL = "http://127.0.0.1:9/v1", "fake-reranker"
    connections_close()
    with tenant_context(cast.tenant.id):
        hits, notes = reranked("pear", [hit("apple", 0.9), hit("pear", 0.5)])
    assert ([h.text for h in hits], notes) == (["apple", "pear"], ["rerank_unavailable"])


def test_without_a_model_nothing_is_asked(cast: Any) -> None:
    hits, notes = reranked("pear", [hit("apple", 0.9), hit("pear", 0.5)])
    assert ([h.text for h in hits], notes) == (["apple", "pear"], [])
