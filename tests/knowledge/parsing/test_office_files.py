import datetime
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from furrow.knowledge.parsing.document import Block, ParsedDocument
from furrow.knowledge.parsing.formats import read_document
from furrow.knowledge.parsing.formats.number_format import show_value
from furrow.knowledge.parsing.formats.word_numbering import format_number
from furrow.knowledge.parsing.limits import ParseJob

# Spreadsheets know no time zones.
AFTERNOON = datetime.datetime(2025, 3, 4, 15, 6)  # noqa: DTZ001


def read(path: Path) -> ParsedDocument:
    document = read_document(path, ParseJob(file_name=path.name))
    for block in document.blocks:
        assert document.text[block.start : block.end] == block.text
    return document


def shown(document: ParsedDocument) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in document.blocks]


def block_of(document: ParsedDocument, text: str) -> Block:
    return next(block for block in document.blocks if text in block.text)


def save_docx(document: Any, tmp_path: Path) -> Path:
    path = tmp_path / "contract.docx"
    document.save(path)
    return path


def test_word_tables_stand_in_body_order_with_their_columns(tmp_path: Path) -> None:
    source = docx.Document()
    source.core_properties.title = "采购合同"
    source.add_heading("第一章 总则", 1)
    source.add_paragraph("甲方向乙方采购脐橙。")
    table = source.add_table(rows=3, cols=3)
    rows = [("品名", "规格", "价格"), ("赣南脐橙", "5kg", "39.9 元"), ("蜜桔", "10斤", "")]
    for row, values in zip(table.rows, rows, strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    source.add_heading("价格说明", 2)
    source.add_paragraph("价格含税。")
    document = read(save_docx(source, tmp_path))
    assert document.title == "采购合同"
    assert shown(document) == [
        ("heading", "第一章 总则"),
        ("paragraph", "甲方向乙方采购脐橙。"),
        ("table_header", "品名 | 规格 | 价格"),
        ("table_row", "品名: 赣南脐橙 | 规格: 5kg | 价格: 39.9 元"),
        ("table_row", "品名: 蜜桔 | 规格: 10斤"),
        ("heading", "价格说明"),
        ("paragraph", "价格含税。"),
    ]
    assert block_of(document, "价格含税").heading_path == ("第一章 总则", "价格说明")
    table_ref = block_of(document, "蜜桔").table
    assert table_ref is not None
    assert table_ref.header == ("品名", "规格", "价格")
    assert table_ref.row == 2


def test_word_inserted_text_counts_and_deleted_text_does_not(tmp_path: Path) -> None:
    source = docx.Document()
    paragraph = source.add_paragraph("价格为")._p
    deleted = "<w:r><w:delText>10 元</w:delText></w:r><w:r><w:t>10 元</w:t></w:r>"
    paragraph.append(parse_xml(f'<w:del {nsdecls("w")} w:id="1" w:author="a">{deleted}</w:del>'))
    added = "<w:r><w:t>12 元。</w:t></w:r>"
    paragraph.append(parse_xml(f'<w:ins {nsdecls("w")} w:id="2" w:author="a">{added}</w:ins>'))
    assert shown(read(save_docx(source, tmp_path))) == [("paragraph", "价格为12 元。")]


def test_word_numbers_are_shown_as_word_shows_them(tmp_path: Path) -> None:
    source = docx.Document()
    numbering = source.part.numbering_part.element
    level = (
        '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/>'
        '<w:lvlText w:val="第%1条"/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/>'
        '<w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>'
    )
    numbering.insert(
        0, parse_xml(f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77">{level}</w:abstractNum>')
    )
    numbering.append(
        parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>')
    )
    for text, depth in [("甲方付款。", 0), ("乙方发货。", 0), ("当日发出。", 1), ("双方签字。", 0)]:
        properties = source.add_paragraph(text)._p.get_or_add_pPr()
        properties.append(
            parse_xml(
                f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{depth}"/><w:numId w:val="77"/></w:numPr>'
            )
        )
    texts = [block.text for block in read(save_docx(source, tmp_path)).blocks]
    assert texts == [
        "第一条 甲方付款。",
        "第二条 乙方发货。",
        "二.1 当日发出。",
        "第三条 双方签字。",
    ]


@pytest.mark.parametrize(
    ("number", "kind", "expected"),
    [
        (10, "chineseCounting", "十"),
        (21, "chineseCounting", "二十一"),
        (105, "chineseCounting", "一百零五"),
        (12, "chineseLegalSimplified", "壹拾贰"),
        (28, "lowerLetter", "bb"),
        (14, "upperRoman", "XIV"),
        (3, "decimalEnclosedCircle", "③"),
    ],
)
def test_word_number_formats(number: int, kind: str, expected: str) -> None:
    assert format_number(number, kind) == expected


def test_word_pages_come_from_the_breaks_word_noted(tmp_path: Path) -> None:
    source = docx.Document()
    source.add_paragraph("第一页的话。")
    second = source.add_paragraph("第二页的话。")
    second.runs[0]._r.insert(0, parse_xml(f"<w:lastRenderedPageBreak {nsdecls('w')}/>"))
    document = read(save_docx(source, tmp_path))
    assert [block.page for block in document.blocks] == [1, 2]
    assert document.page_count == 2


def test_word_footnotes_follow_their_paragraph(tmp_path: Path) -> None:
    import zipfile  # noqa: PLC0415  only here

    source = docx.Document()
    reference = f'<w:r {nsdecls("w")}><w:footnoteReference w:id="5"/></w:r>'
    source.add_paragraph("运费由卖方承担")._p.append(parse_xml(reference))
    path = save_docx(source, tmp_path)
    notes = (
        f'<w:footnotes {nsdecls("w")}><w:footnote w:id="5"><w:p><w:r><w:t>偏远地区除外。</w:t></w:r>'
        "</w:p></w:footnote></w:footnotes>"
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("word/footnotes.xml", notes)
    assert shown(read(path)) == [("paragraph", "运费由卖方承担[1]"), ("note", "[1] 偏远地区除外。")]


def test_workbook_rows_read_as_the_sheet_shows_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "价目表"
    sheet.append(["果园价目表", None, None, None])
    sheet.merge_cells("A1:D1")
    sheet.append(["品名", "规格", "价格", "上市日期"])
    sheet.append(["赣南脐橙", "5kg", 39.9, datetime.date(2025, 11, 1)])
    sheet.append([None, "10kg", 1079.5, datetime.date(2025, 11, 2)])
    sheet.merge_cells("A3:A4")
    sheet["C3"].number_format = '"¥"#,##0.00'
    sheet["C4"].number_format = '#,##0.0"元"'
    sheet["D3"].number_format = 'yyyy"年"m"月"d"日"'
    sheet.append([])
    sheet.append(["客服电话", "400-100-2000"])
    path = tmp_path / "prices.xlsx"
    book.save(path)
    document = read(path)
    assert shown(document) == [
        ("heading", "价目表"),
        ("caption", "果园价目表"),
        ("table_header", "品名 | 规格 | 价格 | 上市日期"),
        ("table_row", "品名: 赣南脐橙 | 规格: 5kg | 价格: ¥39.90 | 上市日期: 2025年11月1日"),
        ("table_row", "品名: 赣南脐橙 | 规格: 10kg | 价格: 1,079.5元 | 上市日期: 2025-11-02"),
        ("table_row", "客服电话 | 400-100-2000"),
    ]
    assert {block.page for block in document.blocks} == {1}


def test_workbook_hides_what_its_owner_hid_and_says_so(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [["品名", "价格"], ["脐橙", 39], ["成本", 12]]:
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet["D9"] = "=1+1"
    secret = book.create_sheet("内部")
    secret.append(["进价", 5])
    secret.sheet_state = "hidden"
    path = tmp_path / "prices.xlsx"
    book.save(path)
    document = read(path)
    assert "成本" not in document.text
    assert "进价" not in document.text
    codes = {warning.code for warning in document.warnings}
    assert codes == {"hidden_sheet", "hidden_row", "formula_without_value"}
    assert document.page_count == 2


@pytest.mark.parametrize("name", ["prices.xlsx", "prices.docx", "prices.pptx"])
def test_a_stored_file_is_read_though_its_own_name_has_no_ending(tmp_path: Path, name: str) -> None:
    book, text, deck = openpyxl.Workbook(), docx.Document(), pptx.Presentation()
    book.active.append(["品名", "脐橙"])
    text.add_paragraph("品名：脐橙")
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "品名：脐橙"
    path = tmp_path / name
    {".xlsx": book, ".docx": text, ".pptx": deck}[path.suffix].save(str(path))
    stored = path.rename(tmp_path / "3f9c1d")
    assert "脐橙" in read_document(stored, ParseJob(file_name=name)).text


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (39.9, "General", "39.9"),
        (39.0, "General", "39"),
        (0.1 + 0.2, "General", "0.3"),
        (2.675, "0.00", "2.68"),
        (0.125, "0.0%", "12.5%"),
        (7, "00000", "00007"),
        (1234567.5, "#,##0", "1,234,568"),
        (-5.5, '0.0;[Red]"负"0.0', "负5.5"),
        (12.5, '[$¥-804]#,##0.00', "¥12.50"),
        (3.0, "0.##", "3"),
        (AFTERNOON, "yyyy/m/d h:mm", "2025/3/4 15:06"),
        (AFTERNOON, "h:mm AM/PM", "3:06 PM"),
        (datetime.date(2025, 3, 4), "yy-mm-dd", "25-03-04"),
        (AFTERNOON, "General", "2025-03-04 15:06:00"),
        (True, "General", "TRUE"),
        (None, "General", ""),
    ],
)  # fmt: skip
def test_numbers_show_as_their_format_says(
    value: object, number_format: str, expected: str
) -> None:
    assert show_value(value, number_format) == expected


def test_slides_are_pages_with_tables_and_notes(tmp_path: Path) -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "发货说明"
    slide.placeholders[1].text = "当天发货\n全国包邮"
    slide.notes_slide.notes_text_frame.text = "讲慢一点"
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "价格"
    table = slide.shapes.add_table(2, 2, 0, 2_000_000, 5_000_000, 800_000).table
    for row, values in enumerate([("品名", "价格"), ("脐橙", "39.9")]):
        for column, value in enumerate(values):
            table.cell(row, column).text = value
    path = tmp_path / "deck.pptx"
    deck.save(str(path))
    document = read(path)
    assert [(block.page, block.text) for block in document.blocks] == [
        (1, "发货说明"),
        (1, "当天发货"),
        (1, "全国包邮"),
        (1, "讲慢一点"),
        (2, "价格"),
        (2, "品名 | 价格"),
        (2, "品名: 脐橙 | 价格: 39.9"),
    ]
