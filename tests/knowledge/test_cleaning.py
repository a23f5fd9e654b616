import time

import pytest

from furrow.knowledge.cleaning.document import clean_document
from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.limits import ParseJob

CLAUSE = "乙方应当在收到货款之后三日内发货，逾期每日按货款的千分之五支付违约金。"


def built(*texts: str, kind: str = "paragraph") -> ParsedDocument:
    builder = DocumentBuilder(ParseJob())
    for text in texts:
        builder.add(kind, text)  # type: ignore[arg-type]
    return builder.build()


def codes(document: ParsedDocument) -> list[str]:
    return [flag.code for flag in clean_document(document)]


@pytest.mark.parametrize(
    "text",
    [
        "我们当天发货，七天内可以退货。",
        "Our café ships crème brûlée on Mondays — “fresh”, as promised.",
        "Größe und Gewicht prüfen wir für Sie.",
        "龘靐齉龗：生僻字也是字。",
        "电话：400-100-2000，邮箱 a@b.example",
        "①②③ ★★★☆☆ 好评如潮 ✓",
        "第 5 页的表格列出了价格。",
        "繁體中文的內容也不應該被標記。",
    ],
)
def test_ordinary_text_is_not_flagged(text: str) -> None:
    assert codes(built(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "发货说明".encode().decode("gb18030"),
        "我们的脐橙产自赣南，采摘后发货。".encode()
        .decode("gb18030", "replace")
        .replace("\ufffd", ""),
        "déjà vu, crème brûlée, façade".encode().decode("cp1252", "ignore"),
        "锟斤拷锟斤拷锟斤拷",
        "发\ufffd\ufffd\ufffd货\ufffd\ufffd",
        "\ue001\ue002\ue003\ue004 \ue005\ue006",
        "It\u00e2\u20ac\u2122s fine",
    ],
)
def test_garbled_text_is_flagged(text: str) -> None:
    assert codes(built(text)) == ["garble"]


@pytest.mark.parametrize(
    "text",
    ["© 2025 果园合作社", "版权所有 翻印必究", "赣ICP备2025000001号", "第 3 页 共 9 页", "Page 3 of 9",
     "第二章 发货 ........ 12", "返回顶部", "Read more", "（以下无正文）".strip("（）")],
)  # fmt: skip
def test_boilerplate_is_flagged(text: str) -> None:
    assert codes(built(text)) == ["boilerplate"]


def test_running_lines_are_flagged_and_kept() -> None:
    document = built("内部资料", kind="running")
    assert codes(document) == ["running"]
    assert document.text == "内部资料"


def test_repeats_are_flagged_from_the_second_on() -> None:
    document = built(CLAUSE, "别的内容。", CLAUSE, CLAUSE.replace("之后", "以后"))
    flags = clean_document(document)
    assert [document.text[flag.start : flag.end][:4] for flag in flags] == ["乙方应当"] * 2
    assert {flag.code for flag in flags} == {"near_duplicate"}
    assert flags[0].start > len(CLAUSE)
    assert flags[0].reason == "repeats the text at character 0"


@pytest.mark.parametrize(("old", "new"), [("三日", "五日"), ("应当", "不应当")])
def test_a_clause_that_says_something_else_is_no_repeat(old: str, new: str) -> None:
    assert codes(built(CLAUSE * 2, CLAUSE.replace(old, new) * 2)) == []


def test_rows_of_a_price_list_are_alike_without_being_repeats() -> None:
    rows = [f"品名: 赣南脐橙精品礼盒装 | 规格: {n}kg | 产地: 江西赣州信丰县" for n in (5, 10, 15)]
    assert codes(built(*rows, kind="table_row")) == []


def test_flags_lie_inside_the_text_and_cleaning_stays_fast() -> None:
    document = built(*(f"{CLAUSE}第{n}号合同另有约定的从其约定。" for n in range(3_000)))
    before = time.process_time()
    flags = clean_document(document)
    assert time.process_time() - before < 5
    assert all(0 <= flag.start < flag.end <= len(document.text) for flag in flags)
