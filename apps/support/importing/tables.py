"""A file as a head and rows: CSV in the encodings of Chinese shop systems, and XLSX. Limits before anything is read."""

import csv
import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from apps.support.importing.columns import recognised
from furrow.core.errors import Invalid, TooLarge
from furrow.knowledge.parsing.archive import check_archive
from furrow.knowledge.parsing.encodings import decode_text
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseLimits

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 5_000
MOST_COLUMNS = 120
_HEAD_WITHIN = 12
_LIMITS = ParseLimits(max_unpacked_bytes=80 * 1024 * 1024)


@dataclass(frozen=True)
class Table:
    """`rows` carry the line that a spreadsheet shows beside them. `encoding` is `xlsx` for workbooks."""

    head: list[str]
    rows: list[tuple[int, list[str]]]
    encoding: str


def table_read(data: bytes, *, kind: str) -> Table:
    """Raises `Invalid` with a sentence when there is no table of this kind in the file."""
    if len(data) > MOST_BYTES:
        raise TooLarge(_("This file is too large: up to 5 MB."), limit_bytes=MOST_BYTES)
    if not data.strip():
        raise Invalid(_("This file is empty."), code="empty", field="file")
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise Invalid(_("This is an old Excel file. Save it as .xlsx or CSV."), field="file")
    if data[:2] == b"PK":
        lines, encoding = list(_workbook(data)), "xlsx"
    else:
        try:
            text, encoding = decode_text(data)
        except ParseFailure:
            raise _no_table() from None
        lines = list(_csv_lines(text))
    return _table(lines, kind, encoding)


def _table(lines: list[tuple[int, list[str]]], kind: str, encoding: str) -> Table:
    scored = [(recognised(kind, row), -at) for at, (_line, row) in enumerate(lines[:_HEAD_WITHIN])]
    best, at = max(scored, default=(0, 0))
    if best < 2:
        raise _no_table()
    head = lines[-at][1]
    rows = [
        (line, (row + [""] * len(head))[: max(len(head), len(row))])
        for line, row in lines[-at + 1 :]
        if any(cell.strip() for cell in row)
    ]
    if not rows:
        raise Invalid(_("Below the head there is no row."), field="file")
    if len(rows) > MOST_ROWS:
        raise TooLarge(_("This file has too many rows: up to 5,000 at a time."), limit=MOST_ROWS)
    return Table(head, rows, encoding)


def _no_table() -> Invalid:
    return Invalid(
        _("No known column was found in this file. Look at the sample for how it should begin."),
        code="no_table",
        field="file",
    )


def _csv_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    text = text.replace("\x00", "")
    sample = text[:20_000].splitlines()[:_HEAD_WITHIN]
    delimiter = max(",\t;|，", key=lambda mark: sum(line.count(mark) for line in sample))
    csv.field_size_limit(100_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    before = 0
    try:
        for row in reader:
            # A cell may hold line breaks: the line is where the row begins.
            yield before + 1, row[:MOST_COLUMNS]
            before = reader.line_num
            if before > MOST_ROWS * 4:
                raise TooLarge(
                    _("This file has too many rows: up to 5,000 at a time."), limit=MOST_ROWS
                )
    except csv.Error:
        raise _no_table() from None


def _workbook(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Of the first visible sheet that has rows."""
    # Ten megabytes in each process of the web, for something that is done now and then.
    import openpyxl  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(suffix=".xlsx") as stored:
        stored.write(data)
        stored.flush()
        try:
            check_archive(Path(stored.name), _LIMITS)
            book = openpyxl.load_workbook(stored.name, read_only=True, data_only=True)
        except (ParseFailure, InvalidFileException, KeyError, ValueError, zipfile.BadZipFile):
            raise Invalid(
                _("This workbook cannot be read. Save it again, or as CSV."), field="file"
            ) from None
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        for sheet in sheets[:1]:
            for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                if line > MOST_ROWS + _HEAD_WITHIN:
                    raise TooLarge(
                        _("This file has too many rows: up to 5,000 at a time."), limit=MOST_ROWS
                    )
                yield line, [_shown(cell) for cell in cells[:MOST_COLUMNS]]
        book.close()


def _shown(value: Any) -> str:
    """Whole numbers without `.0`; a number beyond fifteen digits was rounded by the spreadsheet already and shows it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return f"{value:.6E}" if abs(value) >= 1e15 else repr(round(value, 6))
    return str(value)


def cell_at(row: Sequence[str], at: int | None) -> str:
    return "" if at is None or at >= len(row) else row[at]
