"""A file as a head and rows: CSV in the encodings of Chinese shop systems, and XLSX.

The file is a stranger's: it is opened in a capped process of its own, and only lines of cells come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from apps.support.importing.columns import recognised
from furrow.core.errors import AppError, Invalid, TooLarge
from furrow.knowledge.parsing.apart import table_lines
from furrow.knowledge.parsing.errors import ParseFailure

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 5_000
MOST_COLUMNS = 120
_HEAD_WITHIN = 12


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
    try:
        read = table_lines(data, max_rows=MOST_ROWS + _HEAD_WITHIN, max_columns=MOST_COLUMNS)
    except ParseFailure as failure:
        raise _refusal(failure, is_workbook=data[:2] == b"PK") from None
    return _table(read.lines, kind, read.encoding)


def _refusal(failure: ParseFailure, *, is_workbook: bool) -> AppError:
    if failure.code == "too_large":
        return _too_many_rows()
    if is_workbook:
        return Invalid(_("This workbook cannot be read. Save it again, or as CSV."), field="file")
    return _no_table()


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
        raise _too_many_rows()
    return Table(head, rows, encoding)


def _too_many_rows() -> TooLarge:
    return TooLarge(_("This file has too many rows: up to 5,000 at a time."), limit=MOST_ROWS)


def _no_table() -> Invalid:
    return Invalid(
        _("No known column was found in this file. Look at the sample for how it should begin."),
        code="no_table",
        field="file",
    )


def cell_at(row: Sequence[str], at: int | None) -> str:
    return "" if at is None or at >= len(row) else row[at]
