"""Comma, semicolon, tab or bar separated rows."""

import csv
import io
from collections import Counter
from pathlib import Path

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.encodings import decode_text
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.tables import add_table

_DELIMITERS = ",\t;|，"
_FIELD_LIMIT = 1_000_000


def read(path: Path, job: ParseJob) -> ParsedDocument:
    """One table; the delimiter is the one that gives the most even columns."""
    text, encoding = decode_text(path.read_bytes())
    builder = DocumentBuilder(job)
    delimiter = _guess_delimiter(text)
    csv.field_size_limit(_FIELD_LIMIT)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if rows and len(rows[0]) == 1 and rows[0][0].lower().startswith("sep="):
        rows = rows[1:]
    job.on_progress(0, 1)
    add_table(builder, rows)
    job.on_progress(1, 1)
    return builder.build(meta={"encoding": encoding, "delimiter": delimiter})


def _guess_delimiter(text: str) -> str:
    sample = text[:64_000]
    cut = sample.rfind("\n")
    sample = sample[:cut] if len(text) > len(sample) and cut > 0 else sample
    return max(_DELIMITERS, key=lambda mark: _evenness(sample, mark))


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    """How many rows share the commonest width above one, then that width."""
    try:
        widths = [
            len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        ]
    except csv.Error:
        return (0.0, 0)
    counts = Counter(width for width in widths if width > 1)
    if not counts:
        return (0.0, 0)
    width, rows = counts.most_common(1)[0]
    return (rows / len(widths), width)
