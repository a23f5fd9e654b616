import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from furrow.knowledge.sentences import split_sentences


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "坏果怎么赔？拍照发给客服。我们当天退款！",
            ["坏果怎么赔？", "拍照发给客服。", "我们当天退款！"],
        ),
        ("Ships in 2 days. Returns are free.", ["Ships in 2 days.", "Returns are free."]),
        ("Dr. Li paid 3.5 yuan. It works.", ["Dr. Li paid 3.5 yuan.", "It works."]),
        (
            "See No. 5, e.g. the claims page. Then call.",
            ["See No. 5, e.g. the claims page.", "Then call."],
        ),
        ("We close at 5 p.m. Please come early.", ["We close at 5 p.m.", "Please come early."]),
        ("Acme Ltd. Beijing sells it. OK.", ["Acme Ltd. Beijing sells it.", "OK."]),
        ("Is it fresh? No. It is frozen.", ["Is it fresh?", "No.", "It is frozen."]),
        ("每箱5.5公斤。单价39.9元。", ["每箱5.5公斤。", "单价39.9元。"]),
        (
            "请看 https://a.example/x?y=1&z=2.html 或写信 ab.c@shop.example.cn。谢谢！",
            ["请看 https://a.example/x?y=1&z=2.html 或写信 ab.c@shop.example.cn。", "谢谢！"],
        ),
        ("他说：“今天发货。”我们放心了。", ["他说：“今天发货。”", "我们放心了。"]),
        ("“今天发货。”老板说。好的。", ["“今天发货。”老板说。", "好的。"]),
        (
            "退款（7天内！过期不退）按原路返回。完。",
            ["退款（7天内！过期不退）按原路返回。", "完。"],
        ),
        ('He said "Stop!" Then he left.', ['He said "Stop!"', "Then he left."]),
        ("1. Wash it.\n2. Peel it.", ["1. Wash it.", "2. Peel it."]),
        ("一、总则\n（一）收货\n（二）验货", ["一、总则", "（一）收货", "（二）验货"]),
        (
            "品名: 脐橙 | 价格: 39.9 元。包邮！ | 规格: 5kg\n下一行。",
            ["品名: 脐橙 | 价格: 39.9 元。包邮！ | 规格: 5kg", "下一行。"],
        ),
        ("We ship to all\ncities in China. Fast.", ["We ship to all\ncities in China.", "Fast."]),
        ("我们发往全国，\n偏远除外。好。", ["我们发往全国，\n偏远除外。", "好。"]),
        ("标题\n正文一。", ["标题", "正文一。"]),
        ("我……不知道。真的……", ["我……不知道。", "真的……"]),
        ("真的？！好吧。。。行", ["真的？！", "好吧。。。", "行"]),
        ("问：几天到？答：两天。", ["问：几天到？", "答：两天。"]),
        ("版本.中文结尾.Next", ["版本.", "中文结尾.", "Next"]),
        ("Part HN-2025/A3. In stock.", ["Part HN-2025/A3.", "In stock."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences_end_where_a_reader_says(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab A1.!?。！？，、\n\r\t |“”（）…:：-@/wh是说", max_size=80))
def test_every_visible_character_is_in_exactly_one_sentence(text: str) -> None:
    covered = [0] * len(text)
    last = 0
    for start, end in split_sentences(text):
        assert last <= start < end
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        last = end
        for index in range(start, end):
            covered[index] += 1
    assert [c for c, n in zip(text, covered, strict=True) if n == 0 and not c.isspace()] == []
    assert max(covered, default=0) <= 1


@pytest.mark.parametrize("piece", ["a.", "，\n字", "（", "（字。", "a@", "www.a", "ab\nab ", '."'])
def test_long_odd_text_stays_linear(piece: str) -> None:
    text = piece * 40_000
    before = time.process_time()
    split_sentences(text)
    assert time.process_time() - before < 3.0
