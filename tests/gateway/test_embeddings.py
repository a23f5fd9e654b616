"""The gateway to the model server, against a real HTTP server."""

import time

import numpy as np
import pytest

from furrow.core.context import tenant_context
from furrow.core.errors import UpstreamFailed
from furrow.gateway.breaker import CircuitBreaker
from furrow.gateway.embeddings import embed_texts
from furrow.gateway.langchain import FurrowEmbeddings
from tests import fixtures_embeddings
from tests.fixtures_embeddings import vector_of

_embedding_process = fixtures_embeddings._embedding_process
embedding_server = fixtures_embeddings.embedding_server


@pytest.fixture(autouse=True)
def _as_tenant(cast):
    with tenant_context(cast.tenant.id):
        yield


@pytest.mark.parametrize("wire", ["base64", "float"])
def test_vectors_come_back_in_order(embedding_server, wire):
    embedding_server.format = wire
    texts = [f"text {n}" for n in range(5)]
    vectors = embed_texts(texts)
    assert np.allclose(vectors, [vector_of(text, "fake-one") for text in texts], atol=1e-6)


def test_many_texts_go_in_batches(embedding_server):
    assert len(embed_texts([f"text {n}" for n in range(150)], priority="batch")) == 150
    sizes = [len(request["body"]["input"]) for request in embedding_server.requests]
    assert sizes == [64, 64, 22]
    assert {r["headers"]["x-priority"] for r in embedding_server.requests} == {"batch"}


def test_no_text_asks_nobody(embedding_server):
    assert embed_texts([]) == []
    assert embedding_server.requests == []


def test_busy_server_is_asked_again_after_the_time_it_names(embedding_server):
    embedding_server.answers = [(429, {"Retry-After": "0.2"}), (503, {"Retry-After": "0.1"})]
    started = time.monotonic()
    assert len(embed_texts(["x"], priority="batch")) == 1
    assert time.monotonic() - started >= 0.3
    assert len(embedding_server.requests) == 3


def test_person_who_waits_is_not_kept_waiting(embedding_server):
    embedding_server.answers = [(429, {"Retry-After": "60"})]
    started = time.monotonic()
    with pytest.raises(UpstreamFailed) as caught:
        embed_texts(["x"])
    assert not caught.value.permanent
    assert time.monotonic() - started < 1


def test_refusal_is_permanent_and_not_repeated(embedding_server):
    embedding_server.models = {"another"}
    with pytest.raises(UpstreamFailed) as caught:
        embed_texts(["x"], priority="batch")
    assert caught.value.permanent
    assert len(embedding_server.requests) == 1


def test_dead_server_is_left_alone_after_some_failures(embedding_server, settings):
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    codes = []
    for _ in range(5):
        with pytest.raises(UpstreamFailed) as caught:
            embed_texts(["x"])
        codes.append(caught.value.code)
    assert codes[0] == "embeddings_unavailable"
    assert codes[-1] == "circuit_open"


def test_failing_server_counts_as_dead(embedding_server):
    embedding_server.answers = [(500, {})] * 10
    for _ in range(4):
        with pytest.raises(UpstreamFailed):
            embed_texts(["x"])
    assert len(embedding_server.requests) == 5


def test_tenants_are_told_apart_but_not_named(embedding_server, cast):
    for tenant in (cast.tenant, cast.tenant, cast.other_tenant):
        with tenant_context(tenant.id):
            embed_texts(["x"])
    first, again, other = (r["headers"]["x-tenant"] for r in embedding_server.requests)
    assert first == again != other
    assert str(cast.tenant.id).replace("-", "")[:16] != first


def test_langchain_adapter_goes_through_the_gateway(embedding_server):
    embeddings = FurrowEmbeddings()
    assert len(embeddings.embed_documents(["a", "b"])) == 2
    assert np.allclose(embeddings.embed_query("a"), vector_of("a", "fake-one"), atol=1e-6)


class TestCircuitBreaker:
    @pytest.fixture
    def clock(self):
        return [0.0]

    @pytest.fixture
    def breaker(self, clock):
        return CircuitBreaker(failures=2, rest_s=10, clock=lambda: clock[0])

    def test_opens_after_repeated_failures(self, breaker):
        breaker.failed()
        breaker.before_call()
        breaker.failed()
        with pytest.raises(UpstreamFailed):
            breaker.before_call()

    def test_success_in_between_starts_the_count_again(self, breaker):
        breaker.failed()
        breaker.succeeded()
        breaker.failed()
        breaker.before_call()

    def test_lets_one_trial_through_after_a_rest(self, breaker, clock):
        breaker.failed()
        breaker.failed()
        clock[0] = 10
        breaker.before_call()
        with pytest.raises(UpstreamFailed):
            breaker.before_call()
        breaker.succeeded()
        breaker.before_call()

    def test_failed_trial_means_another_rest(self, breaker, clock):
        breaker.failed()
        breaker.failed()
        clock[0] = 10
        breaker.before_call()
        breaker.failed()
        clock[0] = 19
        with pytest.raises(UpstreamFailed):
            breaker.before_call()
        clock[0] = 20
        breaker.before_call()
