"""A contract's text as clauses, parties, terms, dates and sums."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from apps.contracts.reading import ContractText, contract_read
from apps.contracts.reading.amounts import percents, spans
from apps.contracts.reading.numerals import money, whole
from furrow.knowledge.parsing.document import PageSpan
from tests.apps.contracts.written.contracts import contract_text, in_bank_characters, parsed


@pytest.mark.parametrize(
    ("text", "value"),
    [("十二", 12), ("一百零五", 105), ("二〇二五", 2025), ("壹拾贰万", 120_000), ("一亿二千万", 120_000_000), ("甲", None)],
)  # fmt: skip
def test_chinese_numbers(text: str, value: int | None) -> None:
    assert whole(text) == value


@pytest.mark.parametrize("value", [7, 40, 105, 1_000, 10_203, 18_500, 120_034, 990_000])
def test_bank_characters_read_back(value: int) -> None:
    assert money(in_bank_characters(value)) == value


def test_bank_characters_with_cents() -> None:
    assert money("壹万贰仟叁佰元伍角陆分") == Decimal("12300.56")


def test_shares_and_terms() -> None:
    assert [p.value for p in percents("30%、万分之五、百分之二点五")] == [30, Decimal("0.05"), Decimal("2.5")]  # fmt: skip
    assert [(s.number, s.unit) for s in spans("为期两年，半年内，十二个月，30日；2025年3月1日")] == [
        (2, "年"), (Decimal("0.5"), "年"), (12, "月"), (30, "日"),
    ]  # fmt: skip


def test_places_lead_there_and_back(tmp_path: Path) -> None:
    source = parsed(contract_text("sale", 1), tmp_path)
    for offset in range(0, len(source.text), 7):
        place = source.place_of(offset)
        assert source.offset_of(place.paragraph, place.within) == offset


def test_page_of_a_character() -> None:
    text = ContractText("甲乙丙丁", (), (PageSpan(1, 0, 2), PageSpan(2, 2, 4)))

    assert [text.page_at(n) for n in range(4)] == [1, 1, 2, 2]
    assert text.page_span(2) == (2, 4)


def test_word_paragraphs_keep_their_numbers() -> None:
    text = ContractText.from_paragraphs(["合同", "", "第一条 价款"])

    assert text.place_of(text.text.index("价款")).paragraph == 2


def test_clauses_hang_below_each_other() -> None:
    lines = [
        "第一条 甲",
        "1. 一",
        "（1）小",
        "2. 二",
        "第二条 乙",
        "2.1 丙",
        "2.1.1 丁",
        "2.2 戊",
        "附件一：清单",
    ]
    contract = contract_read(ContractText.from_paragraphs(lines))
    shown = [(c.level, c.label) for c in contract.all_clauses if c.kind != "preamble"]

    assert shown == [
        (1, "第一条"), (2, "1."), (3, "（1）"), (2, "2."), (1, "第二条"), (2, "2.1"), (3, "2.1.1"), (2, "2.2"), (1, "附件一"),
    ]  # fmt: skip
    assert contract.clause_at(contract.text.index("丁")).label == "2.1.1"


def test_english_clauses() -> None:
    lines = [
        "ARTICLE I",
        "Section 1.1 Scope.",
        "(a) goods;",
        "(b) services.",
        "ARTICLE II",
        "Section 2.1 Term.",
    ]
    contract = contract_read(ContractText.from_paragraphs(lines))

    assert [c.level for c in contract.all_clauses[1:]] == [1, 2, 3, 3, 1, 2]


def test_parties_terms_dates_and_references(tmp_path: Path) -> None:
    contract = contract_read(parsed(contract_text("lease", 2), tmp_path))
    heads = [p for p in contract.parties if not p.is_signature]

    assert [p.roles for p in heads] == [("甲方", "出租方"), ("乙方", "承租方")]
    assert [p.name for p in contract.parties if p.is_signature] == [p.name for p in heads]
    assert [d.term for d in contract.definitions] == ["主体结构"]
    assert date(2027, 2, 28) in [d.value for d in contract.dates]
    assert {(r.kind, r.key) for r in contract.references} >= {("annex", (1,)), ("article", (4,))}


def test_article_of_a_statute_is_no_reference() -> None:
    contract = contract_read(ContractText.from_paragraphs(["依照《中华人民共和国民法典》第五百八十五条和第五百八十六条。"]))  # fmt: skip

    assert contract.references == []
