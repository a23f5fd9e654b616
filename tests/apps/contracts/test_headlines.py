"""Name, days and law of a contract, in both languages; what the text does not tell stays empty."""

import time
from datetime import date

import pytest

from apps.contracts.reading.headlines import Headlines, headlines_read
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
