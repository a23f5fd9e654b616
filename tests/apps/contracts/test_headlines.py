"""Name, days and law of a contract, in both languages; what the text does not tell stays empty."""

import time
from datetime import date

import pytest

from apps.contracts.reading.headlines import Headlines, headlines_read
from apps.contracts.reading.headlines.choice import choice_weights
from apps.contracts.reading.headlines.days import Days
from apps.contracts.reading.headlines.names import name_candidates
from apps.contracts.reading.headlines.terms import term_candidates
from tests.apps.contracts.conftest import SALE

ENGLISH = """EXHIBIT 10.4
DISTRIBUTION AGREEMENT
This Distribution Agreement is made as of March 31, 2020 (the "Effective Date") by and between A Inc. and B Ltd.
The term of this Agreement shall be two (2) years from the Effective Date, unless terminated upon thirty (30) days' notice.
This Agreement shall be governed by the laws of the State of New York, without regard to conflicts of law."""


def test_english_contract_tells_name_days_and_law():
    assert headlines_read(ENGLISH) == Headlines(
        "DISTRIBUTION AGREEMENT",
        date(2020, 3, 31),
        date(2020, 3, 31),
        date(2022, 3, 31),
        "New York",
    )


def test_last_day_that_is_written_goes_before_the_length():
    text = ENGLISH.replace(
        "two (2) years from the Effective Date", "in effect until December 31, 2021"
    )
    assert headlines_read(text).ends_on == date(2021, 12, 31)


def test_notice_is_no_term():
    text = ENGLISH.replace(
        "two (2) years from the Effective Date, unless", "indefinite, and may be"
    )
    assert headlines_read(text).ends_on is None


def test_chinese_contract_tells_name_and_days():
    found = headlines_read(SALE + "\n本合同适用中华人民共和国法律。")
    assert (found.name, found.effective_on, found.ends_on) == (
        "苹果买卖合同",
        date(2027, 1, 1),
        date(2027, 12, 31),
    )
    assert found.law == "中华人民共和国"


@pytest.mark.parametrize("filler", [" " * 2_000, "_ " * 2_000, "a" * 50_000, "\n" * 2_000])
def test_long_runs_of_one_sign_take_no_time(filler):
    """Lines to write on, drawn with spaces: a search that goes back and forth would take minutes."""
    text = ENGLISH.replace("two (2) years", f"{filler} two (2) years")
    began = time.process_time()
    assert headlines_read(text).made_on == date(2020, 3, 31)
    assert time.process_time() - began < 2


def test_nothing_is_guessed():
    assert headlines_read("Some words.\nNothing here tells.") == Headlines()


@pytest.mark.parametrize(
    ("said", "law"),
    [
        ("governed by the laws of the state of Texas without", "Texas"),
        ("governed by the laws, other than choice of law rules, of the State of Florida.", "Florida"),
        ("made in the State of Nevada and governed by the laws thereof.", "Nevada"),
        ("governed by English law.", "England"),
        ("governed by the laws of the United States of America and of the Commonwealth of Pennsylvania", "Pennsylvania"),
        ("subject to the Governing Law and Dispute Resolution provisions that apply", ""),
    ],
)  # fmt: skip
def test_law_is_read_in_several_wordings(said, law):
    text = ENGLISH.replace(
        "governed by the laws of the State of New York, without regard to conflicts of law.", said
    )
    assert headlines_read(text).law == law


@pytest.mark.parametrize(
    "written",
    [
        "31s t day of March, 2020",
        "31 March day of 2020",
        "March 31. 2020",
        "3/31/2020",
        "31/03/2020",
    ],
)
def test_days_that_a_scan_tore_are_read(written):
    assert headlines_read(ENGLISH.replace("March 31, 2020", written)).made_on == date(2020, 3, 31)


def test_title_is_found_in_a_line_of_other_words():
    text = ENGLISH.replace(
        "EXHIBIT 10.4\nDISTRIBUTION AGREEMENT\n", "EXECUTION VERSION DISTRIBUTION AGREEMENT "
    )
    assert headlines_read(text).name == "DISTRIBUTION AGREEMENT"


def test_last_day_is_counted_to_the_anniversary():
    text = ENGLISH.replace(
        "shall be two (2) years from", "shall continue until the fifth (5th) anniversary of"
    )
    assert headlines_read(text).ends_on == date(2025, 3, 31)


def test_blank_first_day_stays_empty():
    text = ENGLISH.replace("March 31, 2020", "the ___ day of ________, 2020")
    found = headlines_read(text)
    assert (found.made_on, found.effective_on, found.ends_on) == (None, None, None)


def test_year_of_a_date_is_no_length_of_a_chinese_term():
    text = "仓库租赁合同\n签订日期：2027年1月5日\n合同期限自2027年1月5日起算。"
    assert headlines_read(text).ends_on is None


def test_every_choice_has_its_weights_and_nothing_as_a_candidate():
    weights = choice_weights()
    days = Days("Nothing here tells.")
    assert weights.keys() == {"name", "made", "effective", "ends"}
    for candidates in (
        days.candidates(),
        term_candidates(days, None),
        name_candidates("Nothing here tells."),
    ):
        assert [one.value for one in candidates] == [None]
