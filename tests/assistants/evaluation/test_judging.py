"""A verdict needs no model: the same fact in other spellings is found, a neighbouring one is not."""

import pytest

from furrow.assistants.evaluation.canonical import holds, tokens_of
from furrow.assistants.evaluation.judging import Expectation, Said, judge

FOUND = [
    ("12元", "首5公斤运费12元，续重每公斤2元"),
    ("十二元", "运费 ¥12.00"),
    ("12 yuan", "运费１２元"),
    ("69.90元", "零售价69.9元"),
    ("1,200元", "一共1200元"),
    ("1.2万元", "定金12000元"),
    ("一万二千元", "12,000 yuan"),
    ("3–7天", "放进袋子3至7天变软"),
    ("three photos", "please send 3 photos"),
    ("三张照片", "3張照片"),
    ("24 hours", "签收后二十四个小时内"),
    ("16:00", "下午4点前付款"),
    ("4 pm", "每天16:00前"),
    ("9:30", "上午9点半开门"),
    ("2026年1月5日", "2026-01-05"),
    ("1月5日", "on January 5th, 2026"),
    ("HN-2025/A3", "hn2025a3 还有货"),
    ("50%", "退还货款的百分之五十"),
    ("50 percent", "50％"),
    ("開發票", "可以开发票"),
    ("九折", "打9折"),
    ("第十七条", "见第17条"),
    ("5 kg", "五公斤一箱"),
    ("Room Temperature", "keep at room  temperature."),
]
MISSED = [
    ("12元", "120元"),
    ("12元", "运费2元"),
    ("2元", "12元"),
    ("12元", "12.5元"),
    ("art", "the best part"),
    ("9折", "9%"),
    ("5公斤", "5斤"),
    ("1月5日", "1月15日"),
    ("16:00", "6:00"),
    ("4 pm", "4 am"),
    ("1", "请问一下"),
    ("HN-2025/A3", "HN-2025/A4"),
    ("三张照片", "两张照片"),
]


@pytest.mark.parametrize(("fact", "answer"), FOUND)
def test_fact_is_found_in_another_spelling(fact, answer):
    assert holds(tokens_of(answer), tokens_of(fact))


@pytest.mark.parametrize(("fact", "answer"), MISSED)
def test_neighbouring_fact_is_not_taken_for_it(fact, answer):
    assert not holds(tokens_of(answer), tokens_of(fact))


CITED = {"document_id": "d-1", "page": 2, "title": "Rules"}


def said(text: str, **more):
    return Said(**{"rung": "quoted", "text": text, "citations": [CITED], **more})


def kinds_failed(expectation: Expectation, answer: Said) -> list[str]:
    return [check.kind for check in judge(expectation, answer).checks if not check.is_ok]


def test_one_of_several_wordings_is_enough_and_every_fact_counts():
    expectation = Expectation(facts=(("12元", "12 yuan"), ("当天",)))
    assert judge(expectation, said("12元，当天发货")).is_passed
    assert kinds_failed(expectation, said("12元")) == ["fact"]


def test_what_must_not_stand_there_fails_it():
    expectation = Expectation(forbidden=("免费",))
    assert judge(expectation, said("运费12元")).is_passed
    assert kinds_failed(expectation, said("運費免費")) == ["forbidden"]


def test_document_counts_with_its_page():
    assert judge(Expectation(document_id="d-1"), said("x")).is_passed
    assert judge(Expectation(document_id="d-1", page=2), said("x")).is_passed
    assert kinds_failed(Expectation(document_id="d-1", page=1), said("x")) == ["document"]
    assert kinds_failed(Expectation(document_id="d-2", page=2), said("x")) == ["document"]
    assert kinds_failed(Expectation(document_id="d-1"), said("x", citations=[])) == ["document"]


def test_refusal_and_hand_over_are_told_apart_from_an_answer():
    refusal = said("sorry", rung="human", is_gap=True, citations=[])
    handover = said("ok", rung="human", opens_ticket=True, citations=[])
    for expects, right in (("answer", said("x")), ("refusal", refusal), ("handover", handover)):
        for answer in (said("x"), refusal, handover):
            failed = kinds_failed(Expectation(expects=expects), answer)
            assert failed == ([] if answer == right else ["outcome"])


def test_expected_step_is_compared():
    assert kinds_failed(Expectation(rung="approved"), said("x")) == ["rung"]


def test_verdict_says_everything_that_is_wrong():
    expectation = Expectation(
        facts=(("12元",),), forbidden=("免费",), document_id="d-2", rung="fact"
    )
    answer = said("免费", rung="quoted")
    assert kinds_failed(expectation, answer) == ["rung", "fact", "forbidden", "document"]


def test_expectation_survives_storage():
    expectation = Expectation(facts=(("a", "b"),), forbidden=("c",), document_id="d", page=3)
    assert Expectation.of_json(expectation.as_json()) == expectation
