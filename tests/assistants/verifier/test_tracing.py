"""The way of a sentence through its passage: near copies are one run, joined scraps leap, and what was left out shows."""

from time import process_time

import pytest

from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.statements import Statements
from furrow.assistants.verifier.trace_features import trace_features
from furrow.assistants.verifier.tracing import runs

YARD = "平板推车每天20元，液压叉车每天60元，押金300元。叉车由持证人员操作，不外借到县外。归还时须擦净，油料由租客自备。"
QUAY = (
    "A kayak costs £9 an hour, a canoe £14. Life jackets are included, dry bags are £2. "
    "Boats come back by 6 pm, except on race days."
)


def traced(text: str, sentence: str) -> tuple[list[str], dict[str, float]]:
    statements = Statements(Evidence(text))
    found = [
        "".join(
            each.symbol.text if each.symbol.figure is None else str(each.symbol.figure.value)
            for each in run
        )
        for run in runs(statements.trail.of(sentence))
    ]
    return found, trace_features(sentence, statements)


def test_near_copy_is_one_run():
    found, told = traced(YARD, "您好，液压叉车是每天60元，押金为300元。")
    assert len(found) == 1
    assert (told["trace_unplaced"], told["trace_back"], told["trace_line_leaps"]) == (0, 0, 0)


def test_figure_of_the_neighbour_is_a_leap_over_a_rival():
    _, right = traced(YARD, "平板推车每天20元。")
    _, wrong = traced(YARD, "平板推车每天60元。")
    assert (right["trace_rivals"], wrong["trace_rivals"]) == (0, 1)
    assert wrong["trace_runs"] > right["trace_runs"]


def test_what_two_sentences_say_apart_is_torn_when_joined():
    _, told = traced(YARD, "平板推车由持证人员操作。")
    assert told["trace_torn"] == 1


@pytest.mark.parametrize(
    ("sentence", "denies"), [("叉车由持证人员操作。", 1), ("叉车由持证人员操作，不外借到县外。", 0)]
)
def test_limit_that_is_left_out_is_seen(sentence, denies):
    assert traced(YARD, sentence)[1]["trace_after_denies"] == denies


def test_english_goes_by_words_and_figures():
    found, told = traced(QUAY, "A canoe costs £14 an hour, and life jackets are included.")
    assert found[0] == "cano14.0lifejacket"
    assert told["trace_unplaced"] == 0
    assert traced(QUAY, "Boats come back by 6 pm.")[1]["trace_after_except"] == 1


def test_sentence_of_other_words_finds_no_place():
    _, told = traced(QUAY, "Lunch is served aboard.")
    assert told["trace_unplaced_share"] == 1
    assert told["trace_runs"] == 0


def test_passage_that_repeats_itself_costs_no_seconds():
    started = process_time()
    traced("茶费" * 300, "茶费" * 100)
    assert process_time() - started < 2
