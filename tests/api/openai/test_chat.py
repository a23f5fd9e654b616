"""Chat with the raw model through OpenAI's own client."""

import time
from decimal import Decimal

import openai
import pytest

from furrow.core.context import tenant_tx
from furrow.metering.model_rules import model_rules_set
from furrow.metering.models import Hold, UsageEvent
from furrow.metering.prices import price_end, price_set
from furrow.tenants.services import SYSTEM
from tests.api.openai.conftest import Live
from tests.fixtures_chat import ChatServer

ASK = [{"role": "user", "content": "Hello?"}]


def events_of(live: Live) -> list[UsageEvent]:
    """What was paid, once every hold is ended: that happens right after the answer has left."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with tenant_tx(live.tenant.id):
            if not Hold.objects.filter(state="open").exists():
                return list(UsageEvent.objects.order_by("created_at"))
        time.sleep(0.02)
    raise AssertionError("a hold stayed open")


def test_a_whole_answer_with_the_engines_counts(live: Live) -> None:
    answer = live.client().chat.completions.create(model="fake-chat", messages=ASK)
    assert answer.choices[0].message.content == "Hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 2)
    assert answer.usage.prompt_tokens_details.cached_tokens == 4


def test_a_stream_has_usage_only_when_asked(live: Live) -> None:
    client = live.client()
    plain = list(client.chat.completions.create(model="fake-chat", messages=ASK, stream=True))
    assert plain[0].choices[0].delta.role == "assistant"
    assert "".join(c.choices[0].delta.content or "" for c in plain) == "Hello there"
    assert all(c.choices and c.usage is None for c in plain)
    counted = list(
        client.chat.completions.create(
            model="fake-chat", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    )
    assert counted[-1].choices == []
    assert counted[-1].usage.total_tokens == 12
    assert len({(c.id, c.created, c.model) for c in counted}) == 1


def test_streamed_and_whole_cost_the_same(live: Live) -> None:
    client = live.client()
    client.chat.completions.create(model="fake-chat", messages=ASK)
    list(client.chat.completions.create(model="fake-chat", messages=ASK, stream=True))
    first, second = events_of(live)
    assert (first.cost, first.in_hit, first.in_miss, first.out) == (
        second.cost,
        second.in_hit,
        second.in_miss,
        second.out,
    )
    assert first.channel == "openai"


def test_model_the_operator_keeps_from_a_business_is_neither_listed_nor_asked(
    live: Live, chat_server: ChatServer
) -> None:
    client = live.client()
    assert "fake-chat" in [model.id for model in client.models.list()]
    with tenant_tx(live.tenant.id):
        model_rules_set(actor=SYSTEM, allowed={"fake-chat": False})
    assert "fake-chat" not in [model.id for model in client.models.list()]
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("fake-chat")
    for stream in (False, True):
        with pytest.raises(openai.PermissionDeniedError) as caught:
            client.chat.completions.create(model="fake-chat", messages=ASK, stream=stream)
        assert caught.value.code == "model_withheld"
    assert chat_server.requests == []
    other = live.client(live.other_secret)
    assert other.chat.completions.create(model="fake-chat", messages=ASK).choices


def test_model_with_a_price_of_its_own_is_listed_and_asked(
    live: Live, chat_server: ChatServer
) -> None:
    price_set(model="dear-chat", kind="out", per_million=Decimal(80), currency="CNY")
    try:
        client = live.client()
        assert [m.id for m in client.models.list()][:2] == ["fake-chat", "dear-chat"]
        client.chat.completions.create(model="dear-chat", messages=ASK)
        assert chat_server.bodies[-1]["model"] == "dear-chat"
    finally:
        # It is committed, and no price can be taken away.
        price_end(model="dear-chat", kind="out", currency="CNY")


@pytest.mark.parametrize("model", ["gpt-unknown", "assistant:nonsense"])
def test_an_unknown_model_is_not_found(live: Live, chat_server: ChatServer, model: str) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        live.client().chat.completions.create(model=model, messages=ASK)
    assert caught.value.code == "model_not_found"
    assert chat_server.requests == []
