"""The model writes, and costs, only where the owner switched it on, and only with a model that is offered."""

from decimal import Decimal

import pytest

from furrow.assistants.config import AssistantConfig
from furrow.assistants.evaluation.runs import Subject
from furrow.assistants.evidence import evidence_of
from furrow.assistants.ladder import Question
from furrow.assistants.models import AssistantVersion
from furrow.assistants.rungs.composed_reading import read
from furrow.core.context import tenant_context, tenant_tx
from furrow.metering.model_rules import model_rules_set
from furrow.metering.models import UsageEvent
from furrow.metering.prices import price_set
from furrow.tenants.services import SYSTEM
from tests.assistants.composed.test_composed import configure, line
from tests.conversations.chats import chat_with, orchard_assistant

QUESTION = "到北京的运费多少"


def test_connecting_a_model_makes_no_assistant_spend(cast, embedding_server, chat_server):
    assistant = orchard_assistant(cast.tenant.id)
    with tenant_tx(cast.tenant.id):
        # As a version was frozen before there was a switch.
        config = assistant.published.config
        del config["settings"]["composed"]["enabled"]
        AssistantVersion.objects.filter(id=assistant.published_id).update(config=config)
    assert "composed" in config["rungs"]
    turn = chat_with(cast.tenant.id, assistant).ask(QUESTION)
    assert (turn.rung, line(turn)["reason"]) == ("quoted", "not_switched_on")
    assert not chat_server.bodies
    with tenant_tx(cast.tenant.id):
        assert not UsageEvent.objects.filter(kind="chat").exists()


def test_assistant_writes_with_the_model_it_was_given(chat, chat_server, says):
    says("资料中没有找到。")
    price_set(model="dear-chat", kind="out", per_million=Decimal(80), currency="CNY")
    configure(chat, model="dear-chat")
    chat.again().ask(QUESTION)
    assert [body["model"] for body in chat_server.bodies] == ["dear-chat"]


def test_model_may_be_tried_where_the_ladder_has_left_it_out(chat):
    with tenant_tx(chat.tenant_id):
        tried = Subject.version(chat.assistant.published)
        tried.config["rungs"] = ["greeting", "approved", "quoted", "human"]
        tried = tried.changed({"composed": {"enabled": True, "model": "m"}})
    config = AssistantConfig.of_json(chat.assistant.id, tried.config)
    assert config.rungs == ("greeting", "approved", "composed", "quoted", "human")
    assert (config.composed.model, config.composed.length) == ("m", "medium")


@pytest.mark.parametrize("model", ["", "dear-chat"])
def test_model_that_the_operator_takes_away_writes_nothing_and_quotes_answer(
    chat, chat_server, model
):
    price_set(model="dear-chat", kind="out", per_million=Decimal(80), currency="CNY")
    configure(chat, model=model)
    withheld = model or "fake-chat"
    with tenant_tx(chat.tenant_id):
        model_rules_set(actor=SYSTEM, allowed={withheld: False})
    turn = chat.again().ask(QUESTION)
    assert (turn.rung, line(turn)["reason"]) == ("quoted", "model_not_offered")
    assert line(turn)["model"] == withheld
    assert not chat_server.bodies


@pytest.mark.slow
def test_model_nobody_offers_is_not_asked(chat, chat_server):
    configure(chat, model="somebody-elses")
    turn = chat.again().ask(QUESTION)
    assert (turn.rung, line(turn)["reason"]) == ("quoted", "model_not_offered")
    assert not chat_server.bodies


@pytest.mark.parametrize("look", [evidence_of, lambda *asked: read(*asked, None)])
def test_pinyin_is_held_against_the_passages_as_it_was_meant(chat, look):
    with tenant_tx(chat.tenant_id):
        config = AssistantConfig.of_version(chat.assistant.published)
    question = Question("dao beijing de yunfei duoshao", "zh", chat.conversation.id)
    with tenant_context(chat.tenant_id):
        found = look(question, config)
    assert "运费" in found.query
