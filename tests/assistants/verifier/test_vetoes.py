"""Figures and names: what a passage does not have stays, what it writes in another way leaves the vetoes alone."""

import pytest

from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.figures import figures_of
from furrow.assistants.verifier.judge import veto

HIVE = "领养须知：① 每年修剪1次 ② 每季度寄出一箱。办理人：前台。咨询时间：8:40-17:20。"
BARN = (
    "Storage: small bay $45/mo, large bay $80/mo. Tanks 1,200-1,800 litres. Each extra section $15. "
    "Seasoning takes about a year. Closed Tue and Wed. Half Board on request. Nov to Mar only."
)


@pytest.mark.parametrize(
    ("text", "sentence", "reason"),
    [
        # The numbers of a list are no figures of the passage.
        (HIVE, "每年修剪2次。", "number_not_in_passage"),
        (HIVE, "由会议室的孙会计办理。", "name_not_in_passage"),
        (BARN, "Seasoning takes about a month.", "number_not_in_passage"),
        (BARN, "A large bay is $90 a month.", "number_not_in_passage"),
        (HIVE, "咨询时间从9:40开始。", "time_not_in_passage"),
        (BARN, "We are open from October to March.", "date_not_in_passage"),
        (BARN, "Closed on Mondays.", "weekday_not_in_passage"),
    ],
)
def test_what_the_passage_does_not_have_is_vetoed(text, sentence, reason):
    vetoed = veto(sentence, Evidence(text))
    assert vetoed is not None
    assert vetoed[0] == reason


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HIVE, "8:40到17:20可以咨询。"),
        (HIVE, "每年修剪1次。"),
        (BARN, "A small bay is $45 a month, a large one $80 a month."),
        (BARN, "Tanks hold 1,200 to 1,800 litres."),
        (BARN, "Each further section costs $15."),
        (BARN, "Seasoning takes a year."),
        (BARN, "We are closed on Tuesdays and Wednesdays."),
        (BARN, "A Half Board is possible on request."),
        (BARN, "Only from November to March."),
    ],
)
def test_another_way_to_write_it_is_not(text, sentence):
    assert veto(sentence, Evidence(text)) is None


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("an hour and a half", [(90.0, "time")]),
        ("2019-2024", [(2019.0, ""), (2024.0, "")]),
        ("call 2345-6789", [("23456789", "")]),
        ("part 12/ab", [("12ab", "")]),
        ("clause 6", []),
    ],
)
def test_figures_are_read(text, figures):
    assert [(figure.value, figure.unit) for figure in figures_of(text)] == figures
