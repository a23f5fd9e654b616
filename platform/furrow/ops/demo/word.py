"""Markdown to DOCX: headings, paragraphs, lists, quotes, tables and page breaks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor
from markdown_it import MarkdownIt
from markdown_it.token import Token

_LATIN = "Times New Roman"
_HAN = "宋体"
_INDENT = Cm(0.75)


def write_docx(markdown: str, target: Path, *, title: str, author: str, created: datetime) -> None:
    """Write a DOCX whose header carries the title and whose footer counts the pages."""
    document = Document()
    _set_page(document, title)
    _Writer(document).write(MarkdownIt("commonmark").enable("table").parse(markdown))
    core = document.core_properties
    core.title, core.author = title, author
    core.created = core.modified = created.astimezone(UTC)
    document.save(str(target))


class _Writer:
    """Walks the flat token list and keeps what the next paragraph needs to know."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.lists: list[int | None] = []
        self.in_quote = False

    def write(self, tokens: list[Token]) -> None:
        position = 0
        while position < len(tokens):
            token = tokens[position]
            if token.type == "table_open":
                end = next(
                    n for n in range(position, len(tokens)) if tokens[n].type == "table_close"
                )
                self._table(tokens[position:end])
                position = end
            elif token.type == "inline":
                self._inline(tokens[position - 1], token)
            else:
                self._structure(token)
            position += 1

    def _structure(self, token: Token) -> None:
        if token.type == "ordered_list_open":
            self.lists.append(int(token.attrs.get("start", 1)))
        elif token.type == "bullet_list_open":
            self.lists.append(None)
        elif token.type in ("ordered_list_close", "bullet_list_close"):
            self.lists.pop()
        elif token.type in ("blockquote_open", "blockquote_close"):
            self.in_quote = token.type == "blockquote_open"
        elif token.type == "html_block" and 'class="page"' in token.content:
            self.document.add_page_break()

    def _inline(self, opener: Token, token: Token) -> None:
        if opener.type == "heading_open":
            level = int(opener.tag[1])
            paragraph = self.document.add_heading(level=level - 1)
            if level == 1:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        else:
            paragraph = self.document.add_paragraph()
            if self.lists:
                self._list_item(paragraph)
            if self.in_quote:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        _add_runs(paragraph, token)

    def _list_item(self, paragraph: Any) -> None:
        # Written numbers, not Word's automatic ones: those run on from list to list and
        # are invisible to programs that read the text.
        number = self.lists[-1]
        paragraph.paragraph_format.left_indent = _INDENT
        paragraph.paragraph_format.first_line_indent = -_INDENT
        paragraph.add_run("• " if number is None else f"{number}. ")
        if number is not None:
            self.lists[-1] = number + 1

    def _table(self, tokens: list[Token]) -> None:
        rows: list[list[Token]] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(token)
        table = self.document.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
        for number, row in enumerate(rows):
            for cell, content in zip(table.rows[number].cells, row, strict=True):
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.space_after = Pt(2)
                _add_runs(paragraph, content, bold=number == 0)
                if number == 0:
                    _shade(cell)
        _repeat_header(table.rows[0])
        self.document.add_paragraph().paragraph_format.space_after = Pt(0)


def _add_runs(paragraph: Any, token: Token, *, bold: bool = False) -> None:
    strong = bold
    for child in token.children or []:
        if child.type in ("strong_open", "strong_close"):
            strong = bold or child.type == "strong_open"
        elif child.type in ("softbreak", "hardbreak"):
            paragraph.add_run().add_break()
        elif child.content:
            paragraph.add_run(child.content).bold = strong or None


def _set_page(document: Any, title: str) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.6)
    section.top_margin = section.bottom_margin = Cm(2.5)
    header = section.header.paragraphs[0]
    header.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    header.add_run(title).font.size = Pt(9)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _page_number(footer)
    for name, size in (("Normal", 11), ("Title", 20), ("Heading 1", 14), ("Heading 2", 12)):
        _set_font(document.styles[name], size)
    body = document.styles["Normal"].paragraph_format
    body.line_spacing, body.space_after = 1.5, Pt(6)


def _set_font(style: Any, size: int) -> None:
    style.font.name, style.font.size = _LATIN, Pt(size)
    style.font.color.rgb = RGBColor(0x1F, 0x29, 0x24)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    # The template's theme fonts would win over the names.
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), _HAN)


def _page_number(paragraph: Any) -> None:
    run = paragraph.add_run()
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        if kind:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        else:
            element = OxmlElement("w:instrText")
            element.text = text
        run._r.append(element)


def _shade(cell: Any) -> None:
    shading = OxmlElement("w:shd")
    shading.set(qn("w:val"), "clear")
    shading.set(qn("w:fill"), "E8EFE6")
    cell._tc.get_or_add_tcPr().append(shading)


def _repeat_header(row: Any) -> None:
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)
