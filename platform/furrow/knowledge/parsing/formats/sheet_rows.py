"""A table as its lines: CSV in the encodings of Chinese shop systems, or the first visible sheet of a workbook."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from furrow.knowledge.parsing.archive import check_archive
from furrow.knowledge.parsing.encodings import decode_text
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseJob, ParseLimits

_SAMPLE_LINES = 12
_DELIMITERS = ",\t;|，"
# A cell may hold line breaks, so a file has more lines than rows.
_LINES_PER_ROW = 4


def read(path: Path, job: ParseJob) -> dict[str, Any]:
    """`lines` are pairs of the line that a spreadsheet shows and its cells; `encoding` is `xlsx` for workbooks."""
    data = path.read_bytes()
    if len(data) > job.limits.max_bytes:
        raise ParseFailure("too_large", f"{len(data)} bytes")
    if data[:2] == b"PK":
        return {"encoding": "xlsx", "lines": list(_workbook(path, job.limits))}
    text, encoding = decode_text(data)
    return {"encoding": encoding, "lines": list(_csv_lines(text, job.limits))}


def _csv_lines(text: str, limits: ParseLimits) -> Iterator[tuple[int, list[str]]]:
    text = text.replace("\x00", "")
    sample = text[:20_000].splitlines()[:_SAMPLE_LINES]
    delimiter = max(_DELIMITERS, key=lambda mark: sum(line.count(mark) for line in sample))
    csv.field_size_limit(100_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    before = 0
    try:
        for row in reader:
            # The line is where the row begins.
            yield before + 1, row[: limits.max_columns]
            before = reader.line_num
            if before > limits.max_rows * _LINES_PER_ROW:
                raise ParseFailure("too_large", "rows")
    except csv.Error as error:
        raise ParseFailure("damaged", "csv") from error


def _workbook(path: Path, limits: ParseLimits) -> Iterator[tuple[int, list[str]]]:
    # Most of what a process that reads a CSV would cost.
    import openpyxl  # noqa: PLC0415
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    check_archive(path, limits)
    # By its path openpyxl would judge a file by the ending of its name, and this one has none.
    with path.open("rb") as source:
        try:
            book = openpyxl.load_workbook(source, read_only=True, data_only=True)
        except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ParseFailure("damaged", type(error).__name__) from error
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        for sheet in sheets[:1]:
            for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                if line > limits.max_rows:
                    raise ParseFailure("too_large", "rows")
                yield line, [_shown(cell) for cell in cells[: limits.max_columns]]


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
