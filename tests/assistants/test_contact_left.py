"""A phone number after the assistant asked for one is no question."""

import pytest

from furrow.assistants.contact_left import contact_left
from furrow.assistants.ladder import Exchange
from furrow.assistants.phrases import phrase

ASKED = Exchange("转人工", "好的。" + phrase("leave_contact", "zh"), "human")


@pytest.mark.parametrize(
    "text",
    [
        "13812345678", "138 1234 5678", "我的电话是13812345678，下午打", "0571-88886666", "+86 138 1234 5678",
        "微信 guoyuan88", "我的微信号是guoyuan88", "vx:guo_yuan", "qq 12345678", "ann@shop.example",
        "Ann, call me on +44 20 7946 0958 after five", "my email is ann.field+box@mail.shop.example",
    ],
)  # fmt: skip
def test_way_to_be_reached_is_kept_whole(text):
    assert contact_left(f" {text} ", ASKED) == text


@pytest.mark.parametrize(
    "text",
    ["多久能回复", "13812345678是你们的电话吗", "运费多少", "69.90元的那箱", "HN-2025/A3", "When will you call?", "3 boxes",
     "你们有微信吗", "2025年10月20日", "2025-10-20到货就行", "1" * 201],
)  # fmt: skip
def test_what_else_is_said_is_answered_as_ever(text):
    assert contact_left(text, ASKED) == ""


@pytest.mark.parametrize(
    "last",
    [
        Exchange("运费", "12元。", "quoted"),
        Exchange("运费", phrase("unknown", "zh"), "human"),
        Exchange("x", phrase("leave_contact", "zh"), "approved"),
    ],
)
def test_nobody_asked_for_it(last):
    assert contact_left("13812345678", last) == ""


def test_it_may_be_put_right():
    noted = Exchange("1381234567", phrase("contact_noted", "en"), "human")
    assert contact_left("sorry, 13812345678", noted) == "sorry, 13812345678"
