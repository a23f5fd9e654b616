"""`assistant:<id>` through OpenAI's client: the published ladder, its citations, its conversation."""

import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from furrow.assistants.services import assistant_create, assistant_publish
from furrow.conversations.models import Conversation, Turn
from furrow.conversations.services import conversation_create
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.documents import document_add_text
from furrow.tenants.models import Tenant
from furrow.tenants.services import SYSTEM
from tests.api.openai.conftest import Live, key_of
from tests.channels.live import working

POLICY = "# Shipping\n\nOrders over 99 yuan ship free to all provinces except Tibet."
QUESTION = "Which orders ship free?"


def helper_of(tenant: Tenant) -> Any:
    with tenant_tx(tenant.id):
        base = knowledge_base_create(actor=SYSTEM, name="Policies")
        document_add_text(actor=SYSTEM, knowledge_base=base, title="Shipping", text=POLICY)
    while jobs.run_next("ingest"):
        pass
    with tenant_tx(tenant.id):
        assistant = assistant_create(
            actor=SYSTEM, name="Helper", template="shop", knowledge_base_ids=[base.id]
        )
        assistant_publish(actor=SYSTEM, assistant=assistant)
    return assistant


@pytest.fixture
def helper(live: Live, embedding_server: Any) -> Iterator[Any]:
    assistant = helper_of(live.tenant)
    with working():
        yield assistant


def ask(live: Live, helper: Any, *messages: tuple[str, str], **options: Any) -> Any:
    return live.client().chat.completions.create(
        model=f"assistant:{helper.id}",
        messages=[{"role": role, "content": text} for role, text in messages],  # type: ignore[misc]
        **options,
    )


def test_a_whole_answer_carries_its_citations(live: Live, helper: Any) -> None:
    answer = ask(live, helper, ("user", QUESTION))
    message = answer.choices[0].message
    assert "Orders over 99 yuan ship free" in message.content
    (citation,) = message.citations
    assert citation["title"] == "Shipping"
    assert POLICY[citation["start"] : citation["end"]] == citation["quote"]
    assert answer.furrow["rung"] == "quoted"


def test_a_stream_ends_with_its_citations_and_counts(live: Live, helper: Any) -> None:
    chunks = list(
        ask(live, helper, ("user", QUESTION), stream=True, stream_options={"include_usage": True})
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert "Orders over 99 yuan ship free" in text
    assert chunks[-1].usage.total_tokens == 0
    last = chunks[-2]
    assert last.choices[0].finish_reason == "stop"
    assert last.choices[0].delta.citations[0]["title"] == "Shipping"
    assert last.furrow["conversation_id"]


def test_a_client_that_repeats_the_history_stays_in_its_conversation(
    live: Live, helper: Any
) -> None:
    first = ask(live, helper, ("system", "Be brief."), ("user", QUESTION))
    said = first.choices[0].message.content
    second = ask(
        live, helper, ("system", "x"), ("user", QUESTION), ("assistant", said), ("user", "Tibet?")
    )
    assert second.furrow["conversation_id"] == first.furrow["conversation_id"]
    other = ask(
        live, helper, ("user", QUESTION), ("assistant", "Everything is free."), ("user", "Tibet?")
    )
    assert other.furrow["conversation_id"] != first.furrow["conversation_id"]
    with tenant_tx(live.tenant.id):
        assert not Turn.objects.filter(answer__contains="Everything is free").exists()


def test_a_named_conversation_goes_on(live: Live, helper: Any) -> None:
    first = ask(live, helper, ("user", QUESTION))
    named = {"conversation_id": first.furrow["conversation_id"]}
    second = ask(live, helper, ("user", "Tibet?"), extra_body=named)
    assert second.furrow["conversation_id"] == named["conversation_id"]


def test_a_stranger_finds_neither_assistant_nor_conversation(live: Live, helper: Any) -> None:
    theirs = helper_of(live.other_tenant)
    with tenant_tx(live.other_tenant.id):
        conversation = conversation_create(assistant=theirs, channel="api")
    with pytest.raises(openai.NotFoundError) as foreign:
        ask(live, theirs, ("user", QUESTION))
    assert foreign.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        ask(live, helper, ("user", "x"), extra_body={"conversation_id": str(conversation.id)})
    with tenant_tx(live.other_tenant.id):
        assert not Turn.objects.exists()
    with tenant_tx(live.tenant.id):
        assert not Conversation.objects.exists()


def test_a_conversation_of_another_assistant_is_not_taken(live: Live, helper: Any) -> None:
    second = helper_of(live.tenant)
    with tenant_tx(live.tenant.id):
        conversation = conversation_create(assistant=second, channel="api")
    with pytest.raises(openai.NotFoundError):
        ask(live, helper, ("user", "x"), extra_body={"conversation_id": str(conversation.id)})


def test_a_key_without_the_scope_is_refused(live: Live, helper: Any) -> None:
    client = live.client(key_of(live.tenant, "models:use"))
    with pytest.raises(openai.PermissionDeniedError):
        client.chat.completions.create(
            model=f"assistant:{helper.id}", messages=[{"role": "user", "content": "x"}]
        )


def test_the_answer_outlives_a_reader_who_leaves(live: Live, helper: Any) -> None:
    stream = ask(live, helper, ("user", QUESTION), stream=True)
    next(iter(stream))
    stream.close()
    done = threading.Event()
    for _ in range(100):
        with tenant_tx(live.tenant.id):
            if Turn.objects.filter(status="done").exists():
                done.set()
                break
        done.wait(0.05)
    assert done.is_set()
