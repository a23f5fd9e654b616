"""What leaves and what stays, sentence against passage."""

import pytest

from furrow.assistants.verifier.answer import Checker, Passage
from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.openings import without_opening
from furrow.assistants.verifier.statements import Statements
from furrow.assistants.verifier.stream import draft_of

KILN = (
    "素烧每公斤6元，釉烧每公斤9元，均含出窑整理。素烧和釉烧之间至少隔3天。裂坯不退费，炸窑由本窑赔付。"
    "开窑日为每周三，取件凭号牌。"
)
BOAT = (
    "A rowing boat is £12 an hour, a pedal boat £18. Children under 10 must wear a life jacket. "
    "Boats may not be moored on the island. Tickets are not refunded after boarding."
)
LINEN = "Must towels be ironed?\n\nNo, ironing is not required. Folded is enough."
TABLE = "品名 | 价格\n品名: 青瓷杯 | 价格: 48元\n品名: 影青碗 | 价格: 66元"


def left(text: str, *sentences: str) -> list[str]:
    checker = Checker([Passage(1, text)])
    return [s for s in sentences if checker.check(draft_of(f"{s} [1]")).is_kept]


@pytest.mark.parametrize("text", [KILN, BOAT, LINEN])
def test_sentences_of_the_passage_leave(text):
    lines = [line.text for line in Evidence(text).lines]
    assert left(text, *lines) == lines


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (KILN, "素烧每公斤是6元。"),
        (KILN, "您好，裂坯不退费，炸窑由本窑赔付。"),
        (BOAT, "A rowing boat is £12 an hour."),
    ],
)
def test_near_copies_leave(text, sentence):
    assert left(text, sentence) == [sentence]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (KILN, "素烧每公斤7元。"),
        (KILN, "素烧每公斤9元，釉烧每公斤6元。"),
        (KILN, "裂坯可以退费。"),
        (KILN, "素烧和釉烧之间最多隔3天。"),
        (KILN, "开窑由景德镇的周师傅负责。"),
        (KILN, "是的，裂坯会退费。"),
        (BOAT, "A rowing boat is £18 an hour."),
        (BOAT, "Boats may be moored on the island."),
        (BOAT, "Every child must wear a life jacket."),
        (BOAT, "Tickets are refunded at any time."),
        (LINEN, "Yes, ironing is not required."),
        (TABLE, "青瓷杯66元。"),
    ],
)
def test_what_the_passage_does_not_say_stays(text, sentence):
    assert left(text, sentence) == []


def test_figure_that_is_nowhere_stays_however_near_the_words():
    checked = Checker([Passage(1, KILN)]).check(
        draft_of("素烧每公斤6元，釉烧每公斤19元，均含出窑整理。 [1]")
    )
    assert checked.reason == "number_not_in_passage"


def test_dropping_a_clause_that_sets_a_condition_is_no_copy():
    statements = Statements(Evidence("满三件可以换色，但须当天提出。取件凭号牌，小件放前台。"))
    assert not statements.copies("满三件可以换色。")
    assert statements.copies("取件凭号牌。")


@pytest.mark.parametrize(
    ("text", "opening"),
    [("可以，当天能取。", "yes"), ("No, cash only.", "no"), ("当天能取。", ""), ("不行。", "")],
)
def test_opening_is_taken_off(text, opening):
    assert without_opening(text)[1] == opening
