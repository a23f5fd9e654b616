"""Answers the model writes: what leaves, what is kept back, what they cost, and when the next rung speaks."""

import json
from decimal import Decimal

import pytest
from django.test import override_settings

from furrow.assistants import services as assistants
from furrow.conversations.selectors import turn_payload
from furrow.core.context import tenant_tx
from furrow.metering.budgets import budget_set
from furrow.tenants.services import SYSTEM
from tests.fixtures_chat import CUT, answer, openai_usage

GOOD = "到北京的运费首5公斤是12元 [{n}]。续重每公斤2元 [{n}]。"


def line(turn, rung="composed"):
    return next(step for step in turn.trace if step["rung"] == rung)


def number(chat_server, words):
    """The number under which the model was given the passage with these words."""
    prompt = chat_server.bodies[-1]["messages"][-1]["content"]
    before = prompt[: prompt.index(words)]
    return int(before[before.rindex("\n[") + 2 :].split("]")[0])


def configure(chat, **composed):
    with tenant_tx(chat.tenant_id):
        assistants.assistant_update(
            actor=SYSTEM,
            assistant=chat.assistant,
            settings={"composed": {"enabled": True, **composed}},
        )
        assistants.assistant_publish(actor=SYSTEM, assistant=chat.assistant)


@pytest.fixture
def n(chat, chat_server, says):
    """The number of the passage on Beijing, found by asking once."""
    says("资料中没有找到。")
    chat.again().ask("到北京的运费多少")
    return number(chat_server, "到北京的运费")


def test_verified_sentences_leave_with_citations_and_their_cost(chat, says, n):
    says(GOOD.format(n=n), thoughts="先看运费表。")
    turn = chat.ask("到北京的运费多少")
    assert (turn.rung, turn.answer) == (
        "composed",
        "到北京的运费首5公斤是12元。 [1]续重每公斤2元。 [1]",
    )
    quote = turn.citations[0]
    assert quote["quote"] == "到北京的运费首5公斤12元，续重每公斤2元。"
    payload = turn_payload(turn)
    assert payload["usage"] == {"input_hit": 64, "input_miss": 56, "output": 30, "reasoning": 10}
    assert Decimal(payload["cost"]["amount"]) > 0
    assert payload["cost"]["currency"] == "CNY"


def test_reader_gets_whole_verified_sentences_only(chat, says, n):
    lie = f"到上海的运费是99元 [{n}]。"
    says(GOOD.format(n=n) + lie)
    turn = chat.ask("到北京的运费多少")
    frames = chat.frames(turn)
    deltas = [
        json.loads(frame.split("data: ")[1])["text"] for frame in frames if "event: delta" in frame
    ]
    assert "".join(deltas) == turn.answer
    assert len(deltas) == 2
    assert "99元" not in "".join(frames)
    kept_back = line(turn)["kept_back"]
    assert [(row["text"], row["reason"]) for row in kept_back] == [
        ("到上海的运费是99元。", "name_not_in_passage")
    ] or "99" in kept_back[0]["text"]


def test_thoughts_are_for_staff_alone(chat, says, n):
    says(GOOD.format(n=n), thoughts="机密想法")
    turn = chat.ask("到北京的运费多少")
    assert line(turn)["thoughts"] == "机密想法"
    assert "机密想法" not in json.dumps(turn_payload(turn), ensure_ascii=False)
    assert "机密想法" not in "".join(chat.frames(turn))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("资料中没有找到。", "model_unknown"),
        ("到北京的运费是88元 [1]。全国包邮 [1]。", "not_supported"),
        ("", "not_supported"),
        ("asdf qwer zxcv uiop " * 30, "not_supported"),
    ],
)
def test_answer_that_cannot_stand_falls_to_quotes_and_says_why(chat, says, text, reason):
    says(text)
    turn = chat.ask("到北京的运费多少")
    assert turn.rung == "quoted"
    assert line(turn)["reason"] == reason
    assert "12元" in turn.answer


def test_sentence_without_citation_is_attributed_to_the_passage_that_has_it(chat, says):
    says("到北京的运费首5公斤12元，续重每公斤2元。")
    turn = chat.ask("到北京的运费多少")
    assert turn.rung == "composed"
    assert turn.citations[0]["quote"] == "到北京的运费首5公斤12元，续重每公斤2元。"


def test_model_is_stopped_when_nothing_it_says_is_supported(chat, chat_server, says):
    says("运费是77元。" * 40, step=6)
    chat_server.events = [*chat_server.events[:60], 5.0, *chat_server.events[60:]]
    turn = chat.ask("到北京的运费多少")
    assert turn.rung == "quoted"
    assert turn.duration_ms < 4000
    assert chat_server.gone.wait(5)


def test_half_a_sentence_at_the_token_limit_does_not_leave(chat, says, n):
    says(f"到北京的运费首5公斤是12元 [{n}]。续重每公斤", finish="length")
    turn = chat.ask("到北京的运费多少")
    assert turn.answer == "到北京的运费首5公斤是12元。 [1]"


@pytest.mark.parametrize(
    ("events", "refusals", "code"),
    [
        ([*answer("到北京的")[:2], CUT], [], "chat_cut"),
        ([], [(500, {}, None)], "chat_failed"),
    ],
)
def test_model_server_that_fails_is_answered_by_quotes(chat, chat_server, events, refusals, code):
    chat_server.events, chat_server.refusals = events, refusals
    turn = chat.ask("到北京的运费多少")
    assert turn.rung == "quoted"
    assert (line(turn)["reason"], line(turn)["code"]) == ("unavailable", code)


def test_used_up_budget_is_answered_by_quotes(chat, chat_server):
    with tenant_tx(chat.tenant_id):
        budget_set(
            actor=SYSTEM, scope_kind="tenant", period="month", cap_hard=Decimal("0.000000001")
        )
    turn = chat.ask("到北京的运费多少")
    assert turn.rung == "quoted"
    assert line(turn)["reason"] in {"not_paid", "budget_low"}
    assert chat_server.requests == []


@override_settings(CHAT_URL="", CHAT_MODEL="")
def test_without_a_model_quotes_answer(chat):
    turn = chat.ask("到北京的运费多少")
    assert (turn.rung, line(turn)["reason"]) == ("quoted", "no_model")


def test_length_and_token_budget_reach_the_model(chat, chat_server, says, n):
    configure(chat, length="short", max_tokens=200, model_check=False, thinking=False)
    says(GOOD.format(n=n))
    chat.ask("到北京的运费多少")
    body = chat_server.bodies[-1]
    assert body["max_tokens"] == 200
    assert "一两句话" in body["messages"][0]["content"]


def test_stable_parts_of_the_prompt_stand_first(chat, chat_server, says, n):
    says(GOOD.format(n=n))
    chat.ask("到北京的运费多少")
    chat.ask("那续重呢？")
    first, second = chat_server.bodies[-2:]
    assert first["messages"][0] == second["messages"][0]
    asked = second["messages"][1]["content"]
    assert asked.index("资料：") < asked.index("之前的对话：") < asked.index("顾客的问题：")


def test_doubtful_sentence_needs_the_models_yes_when_the_owner_wants_it(chat, chat_server, says, n):
    configure(chat, length="medium", max_tokens=600, model_check=True, thinking=False)
    doubtful = f"运往北京时，首个5公斤需支付12元 [{n}]。"
    turns = []
    for verdict in ("否", "是"):
        turns.append(_asked_with_verdict(chat, chat_server, doubtful, verdict))
    refused, agreed = turns
    assert agreed.rung == "composed"
    assert refused.rung == "quoted"
    assert line(refused)["kept_back"][0]["reason"] == "model_says_no"


def _asked_with_verdict(chat, chat_server, text, verdict):
    usage = openai_usage(10, 2)
    chat_server.scripts = [answer(text, usage=usage), answer(verdict, usage=usage)]
    return chat.again().ask("到北京的运费多少")


def test_follow_up_without_words_of_its_own_is_rewritten_by_the_model(chat, chat_server, says, n):
    usage = openai_usage(10, 5)
    says("资料中没有找到。")
    chat.ask("你们卖显卡吗")
    rewritten, final = (
        answer("新疆发货吗？", usage=usage),
        answer("新疆、西藏和海外地区目前不发货 [1]。", usage=usage),
    )
    chat_server.scripts = [rewritten, final]
    turn = chat.ask("那新疆呢？")
    assert line(turn)["is_rewritten"] is True
    assert turn.rung == "composed"
