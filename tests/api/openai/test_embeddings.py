"""Embeddings and the list of models through OpenAI's client."""

from typing import Any

import openai
import pytest
from django.conf import settings

from furrow.core.context import tenant_tx
from furrow.metering.models import UsageEvent
from tests.api.openai.conftest import Live, key_of


def test_vectors_in_order_with_the_servers_count(live: Live, embedding_server: Any) -> None:
    client = live.client()
    texts = ["one two three", "four"]
    floats = client.embeddings.create(
        model=settings.EMBEDDINGS_MODEL, input=texts, encoding_format="float"
    )
    packed = client.embeddings.create(model=settings.EMBEDDINGS_MODEL, input=texts)
    assert [row.index for row in floats.data] == [0, 1]
    for plain, base64 in zip(floats.data, packed.data, strict=True):
        assert plain.embedding == pytest.approx(base64.embedding)
    assert floats.usage.prompt_tokens == 8
    with tenant_tx(live.tenant.id):
        event = UsageEvent.objects.order_by("created_at").first()
        assert (event.in_miss, event.kind, event.channel) == (8, "embedding", "openai")


def test_only_the_configured_model_embeds(live: Live, embedding_server: Any) -> None:
    with pytest.raises(openai.NotFoundError):
        live.client().embeddings.create(model="another", input="x")
    assert embedding_server.requests == []


@pytest.mark.parametrize("body", [{"input": [[1, 2]]}, {"input": []}, {"dimensions": 3}])
def test_what_cannot_be_done_is_refused(
    live: Live, embedding_server: Any, body: dict[str, Any]
) -> None:
    answer = live.http().post(
        "/embeddings", json={"model": settings.EMBEDDINGS_MODEL, "input": "x", **body}
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_key_lists_what_it_can_call(live: Live) -> None:
    listed = {model.id for model in live.client().models.list()}
    assert listed == {"fake-chat", settings.EMBEDDINGS_MODEL}
    assert live.client().models.retrieve("fake-chat").id == "fake-chat"
    with pytest.raises(openai.NotFoundError):
        live.client().models.retrieve("nothing")
    reader = live.client(key_of(live.tenant, "knowledge:read"))
    assert list(reader.models.list()) == []
