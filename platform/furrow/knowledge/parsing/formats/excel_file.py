"""Workbooks: each sheet is a page, each row a block, values as the sheet shows them."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
from lxml import etree
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats.number_format import show_value
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.tables import add_table

_MAX_COLUMNS = 256
_MAX_MERGED_ROWS = 2_000
_DEFAULT_NAME = re.compile(r"(?:Sheet|工作表)\s?\d*$", re.IGNORECASE)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


class _Layout(NamedTuple):
    """What the row reader does not tell: merged ranges, hidden rows, formulas without a result."""

    merged: list[tuple[int, int, int, int]]
    hidden: set[int]
    unsolved: int


def read(path: Path, job: ParseJob) -> ParsedDocument:
    """Hidden sheets and rows are left out with a warning, as their owner does not see them."""
    # By its path openpyxl would judge a file by the ending of its name, and a stored file has none.
    with path.open("rb") as source:
        try:
            book = openpyxl.load_workbook(source, read_only=True, data_only=True)
        except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ParseFailure("damaged", type(error).__name__) from error
        return _document(book, path, job)


def _document(book: openpyxl.Workbook, path: Path, job: ParseJob) -> ParsedDocument:
    builder = DocumentBuilder(job)
    sheets = book.worksheets
    for number, sheet in enumerate(sheets, start=1):
        job.on_progress(number - 1, len(sheets))
        builder.start_page(number)
        if sheet.sheet_state != "visible":
            job.warn("hidden_sheet", "A hidden sheet was left out.", number)
            continue
        if not _DEFAULT_NAME.match(sheet.title):
            builder.heading(sheet.title, 1)
        layout = _layout(path, sheet)
        if layout.unsolved:
            job.warn(
                "formula_without_value",
                "Some formulas have no stored result; open the file, save it, upload it again.",
                number,
            )
        _add_sheet(builder, sheet, layout, job)
    job.on_progress(len(sheets), len(sheets))
    title = (book.properties.title or "") if book.properties else ""
    book.close()
    return builder.build(title=title)


def _add_sheet(builder: DocumentBuilder, sheet: Any, layout: _Layout, job: ParseJob) -> None:
    """Blank rows part one table from the next."""
    sheet.reset_dimensions()
    table: list[list[str]] = []
    for row in _rows(sheet, layout, job):
        if any(row):
            table.append(row)
        else:
            add_table(builder, table)
            table = []
    add_table(builder, table)


def _rows(sheet: Any, layout: _Layout, job: ParseJob) -> Iterator[list[str]]:
    covers = _covers(layout.merged)
    values: dict[tuple[int, int], str] = {}
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if len(cells) > _MAX_COLUMNS:
            job.warn("columns_cut", f"Only the first {_MAX_COLUMNS} columns were read.")
        row = [_show(cell) for cell in cells[:_MAX_COLUMNS]]
        for column in range(1, len(row) + 1):
            anchor = covers.get((number, column))
            if anchor == (number, column):
                values[anchor] = row[column - 1]
            elif anchor is not None:
                row[column - 1] = values.get(anchor, "")
        if number in layout.hidden:
            job.warn("hidden_row", "Hidden rows were left out.")
            continue
        yield row


def _covers(merged: list[tuple[int, int, int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
    """Each merged cell and the corner cell whose value it shows."""
    covers: dict[tuple[int, int], tuple[int, int]] = {}
    for left, top, right, bottom in merged:
        for row in range(top, min(bottom, top + _MAX_MERGED_ROWS) + 1):
            for column in range(left, min(right, _MAX_COLUMNS) + 1):
                covers[row, column] = (top, left)
    return covers


def _show(cell: Any) -> str:
    return show_value(cell.value, getattr(cell, "number_format", None) or "General")


def _layout(path: Path, sheet: Any) -> _Layout:
    merged: list[tuple[int, int, int, int]] = []
    hidden: set[int] = set()
    unsolved = 0
    # The read-only reader keeps the part's name but not its merged cells.
    part = str(sheet._worksheet_path)
    with zipfile.ZipFile(path) as archive, archive.open(part) as source:
        tags = (f"{_MAIN}mergeCell", f"{_MAIN}row", f"{_MAIN}c")
        for _, element in etree.iterparse(
            source, tag=tags, resolve_entities=False, no_network=True
        ):
            if element.tag == tags[0]:
                merged.append(_range(element.get("ref") or ""))
            elif element.tag == tags[2]:
                is_formula = element.find(f"{_MAIN}f") is not None
                unsolved += is_formula and not element.findtext(f"{_MAIN}v")
                continue
            elif element.get("hidden") in ("1", "true"):
                hidden.add(int(element.get("r") or 0))
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return _Layout([area for area in merged if area != (0, 0, 0, 0)], hidden, unsolved)


def _range(reference: str) -> tuple[int, int, int, int]:
    try:
        left, top, right, bottom = range_boundaries(reference)
    except ValueError:
        return (0, 0, 0, 0)
    return (int(left or 1), int(top or 1), int(right or 1), int(bottom or 1))
