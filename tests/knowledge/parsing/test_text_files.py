from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.encodings import decode_text
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats import read_document
from furrow.knowledge.parsing.limits import ParseJob, ParseLimits

SIMPLIFIED = "退货政策：七天内可以退货，运费由我们承担。"
TRADITIONAL = "退貨政策：七天內可以退貨，運費由我們承擔。"


def read(folder: Path, name: str, data: bytes, **job: object) -> ParsedDocument:
    path = folder / "stored"
    path.write_bytes(data)
    return read_document(path, ParseJob(file_name=name, **job))  # type: ignore[arg-type]


def shown(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in document.blocks]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (SIMPLIFIED, "utf-8"),
        (SIMPLIFIED, "utf-8-sig"),
        (SIMPLIFIED, "gbk"),
        ("价格表", "gbk"),
        ("脐橙 39.9 元", "gb18030"),
        (SIMPLIFIED, "utf-16"),
        (SIMPLIFIED, "utf-16-le"),
        ("Returns within 7 days.", "utf-16-be"),
        (TRADITIONAL, "big5"),
        ("價格表", "big5"),
        (TRADITIONAL, "utf-8"),
        ("Café crème à la carte, déjà vu.", "cp1252"),
    ],
)
def test_text_is_read_in_its_own_encoding(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding))[0] == text


def test_a_cut_off_utf8_file_keeps_its_text() -> None:
    text, _ = decode_text((SIMPLIFIED * 5).encode()[:-1])
    assert text.startswith(SIMPLIFIED * 4)


def test_plain_text_finds_headings_lists_and_wrapped_lines(tmp_path: Path) -> None:
    text = "第一章 发货\r\n我们当天发货，\r\n偏远除外。\r\n\r\n1. 洗净\r\n2. 去皮\r\nWe ship to\r\nall cities."
    document = read(tmp_path, "a.txt", text.encode())
    assert shown(document) == [
        ("heading", "第一章 发货"),
        ("paragraph", "我们当天发货，偏远除外。"),
        ("list_item", "1. 洗净"),
        ("list_item", "2. 去皮"),
        ("paragraph", "We ship to all cities."),
    ]
    assert document.language == "zh"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_rows_carry_their_column_names(tmp_path: Path, delimiter: str) -> None:
    rows = [
        ["品名", "规格", "价格"],
        ["赣南脐橙", '"大果, 5kg; 装"', "39.9 元"],
        ["蜜桔", "10斤", "25"],
    ]
    data = "\n".join(delimiter.join(row) for row in rows).encode("gb18030")
    texts = [block.text for block in read(tmp_path, "p.csv", data).blocks]
    assert texts == [
        "品名 | 规格 | 价格",
        "品名: 赣南脐橙 | 规格: 大果, 5kg; 装 | 价格: 39.9 元",
        "品名: 蜜桔 | 规格: 10斤 | 价格: 25",
    ]


def test_csv_without_column_names_stays_as_it_is(tmp_path: Path) -> None:
    texts = [
        block.text for block in read(tmp_path, "p.csv", "脐橙,39.9\n蜜桔,25\n".encode()).blocks
    ]
    assert texts == ["脐橙 | 39.9", "蜜桔 | 25"]


def test_markdown_keeps_headings_lists_tables_and_addresses(tmp_path: Path) -> None:
    text = (
        "---\ntitle: 店铺手册\n---\n# 退货\n请看 [退货页](https://shop.example/r)。\n\n"
        "## 价格\n| 品名 | 价格 |\n|---|---|\n| 橙 | 39 |\n\n- 拍照\n- 寄回\n\n```\ncode\n```\n"
    )
    document = read(tmp_path, "m.md", text.encode())
    assert document.title == "店铺手册"
    assert shown(document) == [
        ("heading", "退货"),
        ("paragraph", "请看 退货页 (https://shop.example/r)。"),
        ("heading", "价格"),
        ("table_header", "品名 | 价格"),
        ("table_row", "品名: 橙 | 价格: 39"),
        ("list_item", "- 拍照"),
        ("list_item", "- 寄回"),
        ("code", "code"),
    ]
    assert document.blocks[-1].heading_path == ("退货", "价格")


PAGE = (
    '<html><head><meta charset="gbk"><title>退货 说明</title><script>alert(1)</script></head><body>'
    "<nav><a href=/>首页</a><a href=/b>全部商品</a></nav><main><h1>退货</h1>"
    "<p>七天内可以<b>退货</b>，运费由我们承担。</p><ul><li>拍照</li><li>寄回</li></ul>"
    "<table><tr><th>地区</th><th>时效</th></tr><tr><td>江西</td><td>1 天</td></tr></table>"
    '<p style="display: none">隐藏的话</p></main><footer>版权所有</footer></body></html>'
)


def test_web_page_gives_its_content_without_navigation(tmp_path: Path) -> None:
    document = read(tmp_path, "w.html", PAGE.encode("gbk"))
    assert document.title == "退货 说明"
    assert shown(document) == [
        ("heading", "退货"),
        ("paragraph", "七天内可以退货，运费由我们承担。"),
        ("list_item", "- 拍照"),
        ("list_item", "- 寄回"),
        ("table_header", "地区 | 时效"),
        ("table_row", "地区: 江西 | 时效: 1 天"),
    ]


def test_old_excel_name_with_an_html_table_is_read_as_the_table(tmp_path: Path) -> None:
    data = "<table><tr><td>品名</td><td>价格</td></tr><tr><td>橙</td><td>39</td></tr></table>"
    assert "品名: 橙 | 价格: 39" in read(tmp_path, "export.xls", data.encode()).text


def test_deeply_nested_page_does_not_exhaust_the_stack(tmp_path: Path) -> None:
    data = b"<html><body>" + b"<div>" * 1_500 + b"deep words here" + b"</div>" * 1_500
    document = read(tmp_path, "w.html", data)
    assert "deep words here" in document.text


def test_too_much_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParseFailure) as caught:
        read(tmp_path, "a.txt", b"word " * 100, limits=ParseLimits(max_chars=100))
    assert caught.value.code == "too_large"


TEXTS = st.text(
    alphabet="ab 1.|#-*>`_[]()!<&\n\r\t。，：问答第一章价\x00\ud800\ufeff", max_size=120
)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, name=st.sampled_from(["a.txt", "a.md", "a.csv", "a.html"]))
def test_offsets_and_pages_hold_for_any_text(
    tmp_path_factory: pytest.TempPathFactory, text: str, name: str
) -> None:
    data = text.encode("utf-8", "replace")
    try:
        document = read(tmp_path_factory.getbasetemp(), name, data)
    except ParseFailure:
        return
    last = 0
    for block in document.blocks:
        assert last <= block.start < block.end
        assert document.text[block.start : block.end] == block.text
        last = block.end
    assert ParsedDocument.from_json(document.to_json()) == document
