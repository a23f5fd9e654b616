from collections.abc import Callable
from pathlib import Path

import pytest

from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats import read_document
from furrow.knowledge.parsing.limits import ParseJob, ParseLimits

PrintPage = Callable[..., Path]

SENTENCE = "我们的脐橙产自赣南，果园面积三百亩，采摘后二十四小时内发货。"
STYLE = (
    "<meta charset=utf-8><style>body{font-family:'Noto Sans CJK SC';font-size:12pt}"
    "table{border-collapse:collapse} td,th{padding:4px 10px}"
    ".boxed td,.boxed th{border:1px solid #000} .lined td,.lined th{border-bottom:1px solid #999}"
    ".page{break-before:page} .narrow td:nth-child(2){width:9em}</style>"
)
TABLE = (
    "<tr><th>品名</th><th>规格</th><th>价格</th></tr>"
    "<tr><td>赣南脐橙</td><td>5kg 大果</td><td>39.9 元</td></tr>"
    "<tr><td>蜜桔</td><td>10 斤</td><td>25 元</td></tr>"
    "<tr><td>沙田柚</td><td>两个装，果径十五厘米以上，适合送礼</td><td>58 元</td></tr>"
)
ROWS = [
    "品名 | 规格 | 价格",
    "品名: 赣南脐橙 | 规格: 5kg 大果 | 价格: 39.9 元",
    "品名: 蜜桔 | 规格: 10 斤 | 价格: 25 元",
    "品名: 沙田柚 | 规格: 两个装，果径十五厘米以上，适合送礼 | 价格: 58 元",
]


def read(path: Path, **job: object) -> ParsedDocument:
    document = read_document(path, ParseJob(file_name=path.name, **job))  # type: ignore[arg-type]
    for block in document.blocks:
        assert document.text[block.start : block.end] == block.text
    for page, following in zip(document.pages, document.pages[1:], strict=False):
        assert page.end == following.start
    return document


def texts(document: ParsedDocument, *kinds: str) -> list[str]:
    return [block.text for block in document.blocks if block.kind in kinds]


def hand_made_pdf(content: bytes, pages: int = 1, extra: bytes = b"") -> bytes:
    """A PDF of equal pages without compression; readers rebuild the missing cross-reference."""
    kids = b" ".join(b"%d 0 R" % (10 + index) for index in range(pages))
    body = (
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count " + str(pages).encode() + b"/Kids[" + kids + b"]>>endobj\n"
        b"3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
        b"4 0 obj<</Length %d>>stream\n%s\nendstream endobj\n" % (len(content), content)
    )
    for index in range(pages):
        body += (
            b"%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
            b"/Resources<</Font<</F1 3 0 R>>%s>>>>endobj\n" % (10 + index, extra)
        )
    return body + b"trailer<</Root 1 0 R/Size %d>>\n%%%%EOF\n" % (10 + pages)


# Printing a page takes Chromium a second; in the fast part files made by hand do.
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.slow)
        for kind in ("boxed", "boxed narrow", "lined", "lined narrow", "plain")
    ],
)
def test_table_rows_keep_their_columns(print_pdf: PrintPage, kind: str) -> None:
    path = print_pdf(
        f"{STYLE}<h1>价目表</h1><p>{SENTENCE}</p><table class='{kind}'>{TABLE}</table><p>完。</p>"
    )
    document = read(path)
    assert texts(document, "table_header", "table_row") == ROWS
    assert texts(document, "heading") == ["价目表"]
    assert texts(document, "paragraph") == [SENTENCE, "完。"]


@pytest.mark.slow
def test_a_table_that_runs_over_the_page_keeps_its_column_names(print_pdf: PrintPage) -> None:
    rows = "".join(
        f"<tr><td>脐橙{n}号</td><td>{n}kg</td><td>{n}.5 元</td></tr>" for n in range(1, 70)
    )
    head = "<tr><th>品名</th><th>规格</th><th>价格</th></tr>"
    document = read(print_pdf(f"{STYLE}<p>{SENTENCE}</p><table class=boxed>{head}{rows}</table>"))
    assert document.page_count > 1
    expected = [f"品名: 脐橙{n}号 | 规格: {n}kg | 价格: {n}.5 元" for n in range(1, 70)]
    assert texts(document, "table_row") == expected
    assert texts(document, "table_header") == ["品名 | 规格 | 价格"]


@pytest.mark.slow
def test_merged_cells_repeat_their_text_in_every_row(print_pdf: PrintPage) -> None:
    rows = (
        "<tr><th>品名</th><th>规格</th><th>价格</th></tr>"
        "<tr><td rowspan=2>赣南脐橙</td><td>5kg</td><td>39.9</td></tr><tr><td>10kg</td><td>75</td></tr>"
    )
    document = read(print_pdf(f"{STYLE}<p>{SENTENCE}</p><table class=boxed>{rows}</table>"))
    assert texts(document, "table_row") == [
        "品名: 赣南脐橙 | 规格: 5kg | 价格: 39.9",
        "品名: 赣南脐橙 | 规格: 10kg | 价格: 75",
    ]


@pytest.mark.slow
def test_wrapped_lines_become_paragraphs_and_sizes_become_headings(print_pdf: PrintPage) -> None:
    english = "Orders placed before 3 p.m. ship the same day, and we cover all courier losses. " * 4
    html = f"{STYLE}<h1>果园手册</h1><h2>发货</h2><p>{SENTENCE * 6}</p><h2>Shipping</h2><p>{english}</p>"
    document = read(print_pdf(html))
    assert texts(document, "paragraph") == [SENTENCE * 6, english.strip()]
    paths = [block.heading_path for block in document.blocks if block.kind == "paragraph"]
    assert paths == [("果园手册", "发货"), ("果园手册", "Shipping")]


@pytest.mark.slow
def test_a_flat_glyph_is_not_the_end_of_a_column(print_pdf: PrintPage) -> None:
    sentence = "照片需要三张，缺一不可：第一张拍面单，最后一张把坏果放在一起。"
    style = "<style>body{font:11pt/1.7 serif;text-align:justify}</style>"
    assert texts(read(print_pdf(f"{style}<p>{sentence * 4}</p>")), "paragraph") == [sentence * 4]


@pytest.mark.slow
def test_columns_are_read_one_after_the_other(print_pdf: PrintPage) -> None:
    left = "".join(f"<p>左栏第{n}段，{SENTENCE}</p>" for n in range(1, 5))
    right = "".join(f"<p>右栏第{n}段，{SENTENCE}</p>" for n in range(1, 5))
    columns = f"<div style='display:flex;gap:2em'><div>{left}</div><div>{right}</div></div>"
    paragraphs = texts(read(print_pdf(STYLE + columns)), "paragraph")
    assert [text[:4] for text in paragraphs] == ["左栏第1", "左栏第2", "左栏第3", "左栏第4",
                                                 "右栏第1", "右栏第2", "右栏第3", "右栏第4"]  # fmt: skip
    assert all(text.endswith(SENTENCE) for text in paragraphs)


@pytest.mark.slow
def test_page_headers_and_numbers_are_told_apart_from_text(print_pdf: PrintPage) -> None:
    words = ["发货当天处理。", "坏果拍照赔付。", "批发另行报价。"]
    pages = "".join(
        f"<div style='position:relative;height:268mm;break-after:page'><div>果园手册 内部资料</div>"
        f"<p style='margin-top:3em'>{words[n - 1]}{SENTENCE}</p>"
        f"<div style='position:absolute;bottom:0'>第 {n} 页 共 3 页</div></div>"
        for n in (1, 2, 3)
    )
    html = f"<style>@page{{size:A4;margin:10mm}}</style>{STYLE}{pages}"
    document = read(print_pdf(html))
    running = texts(document, "running")
    assert running == [
        word for n in (1, 2, 3) for word in ("果园手册 内部资料", f"第 {n} 页 共 3 页")
    ]
    assert texts(document, "paragraph") == [word + SENTENCE for word in words]


def test_a_sentence_cut_by_a_page_break_is_whole_on_its_first_page(tmp_path: Path) -> None:
    first = b"BT /F1 12 Tf 50 60 Td (All losses on the way are covered by the shop and the customer) Tj ET"
    second = b"BT /F1 12 Tf 50 780 Td (pays nothing at all. Then we ship again within two working days.) Tj ET"
    path = tmp_path / "two.pdf"
    one = hand_made_pdf(first, pages=2).replace(
        b"11 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R",
        b"5 0 obj<</Length %d>>stream\n%s\nendstream endobj\n" % (len(second), second)
        + b"11 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R",
    )
    path.write_bytes(one)
    document = read(path)
    whole = "All losses on the way are covered by the shop and the customer pays nothing at all."
    assert [(block.page, block.text) for block in document.blocks] == [
        (1, whole),
        (2, "Then we ship again within two working days."),
    ]


def test_rotated_pages_read_upright(tmp_path: Path) -> None:
    content = b"BT /F1 12 Tf 0 1 -1 0 100 50 Tm (First line here) Tj ET BT /F1 12 Tf 0 1 -1 0 130 50 Tm (Second line.) Tj ET"
    path = tmp_path / "turned.pdf"
    path.write_bytes(hand_made_pdf(content).replace(b"/MediaBox", b"/Rotate 90/MediaBox"))
    assert read(path).text == "First line here\n\nSecond line."


def test_slanted_watermark_is_not_text(tmp_path: Path) -> None:
    content = (
        b"BT /F1 60 Tf 0.7 0.7 -0.7 0.7 100 200 Tm (SECRET) Tj ET"
        b" BT /F1 12 Tf 50 700 Td (The price is 39 yuan.) Tj ET"
    )
    path = tmp_path / "marked.pdf"
    path.write_bytes(hand_made_pdf(content))
    assert read(path).text == "The price is 39 yuan."


def test_pages_are_counted_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    path.write_bytes(hand_made_pdf(b"", pages=30))
    with pytest.raises(ParseFailure) as caught:
        read(path, limits=ParseLimits(max_pages=20))
    assert caught.value.code == "too_many_pages"


def test_progress_counts_pages(tmp_path: Path) -> None:
    path = tmp_path / "some.pdf"
    path.write_bytes(hand_made_pdf(b"BT /F1 12 Tf 50 700 Td (Hello there, world.) Tj ET", pages=3))
    seen: list[tuple[int, int]] = []
    read(path, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


PRICE_SHEET = f"{STYLE}<h2>果园价目表</h2><table class=boxed>{TABLE}</table><p>{SENTENCE}</p>"
READ_ROWS = [row.replace(" 大果", "大果").replace("10 斤", "10斤") for row in ROWS]


def without_spaces(rows: list[str]) -> list[str]:
    return [row.replace(" ", "") for row in rows]


@pytest.mark.slow
def test_photographed_price_sheet_keeps_rows_together(take_picture: PrintPage) -> None:
    document = read(take_picture(PRICE_SHEET))
    rows = without_spaces(texts(document, "table_header", "table_row"))
    assert rows == without_spaces(ROWS)
    assert SENTENCE in document.text
    assert document.page_count == 1


@pytest.mark.slow
def test_scanned_pdf_is_recognised_page_by_page(take_picture: PrintPage, tmp_path: Path) -> None:
    from PIL import Image  # noqa: PLC0415  slow tests only

    picture = Image.open(take_picture(PRICE_SHEET)).convert("RGB")
    path = tmp_path / "scan.pdf"
    picture.save(path, save_all=True, append_images=[picture])
    asked: list[int] = []
    document = read(path, before_ocr=asked.append)
    assert asked == [2]
    assert document.page_count == 2
    rows = without_spaces(texts(document, "table_row"))
    assert rows == without_spaces(ROWS[1:]) * 2
    assert {block.page for block in document.blocks} == {1, 2}


@pytest.mark.slow
def test_a_photo_taken_sideways_is_turned(take_picture: PrintPage, tmp_path: Path) -> None:
    from PIL import Image  # noqa: PLC0415  slow tests only

    picture = Image.open(take_picture(PRICE_SHEET)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "photo.jpg"
    picture.rotate(90, expand=True).save(path, quality=92, exif=exif)
    assert SENTENCE in read(path).text
