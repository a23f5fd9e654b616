"""Plain text in any encoding."""

import re
from pathlib import Path

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.encodings import decode_text
from furrow.knowledge.parsing.headings import guess_heading
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.lines import LIST_ITEM, ends_sentence, join_lines, starts_block
from furrow.knowledge.parsing.tables import add_table

_LINE_END = re.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_MAX_WRAP = 120


def read(path: Path, job: ParseJob) -> ParsedDocument:
    """Paragraphs by line or, where lines have a fixed width, by blank line."""
    text, encoding = decode_text(path.read_bytes())
    if "\ufffd" in text:
        job.warn("replaced_characters", "Some characters could not be read and show as \ufffd.")
    builder = DocumentBuilder(job)
    add_text(builder, text)
    return builder.build(meta={"encoding": encoding})


def add_text(builder: DocumentBuilder, text: str) -> None:
    """Adds loose text as headings, list items, rows of tabbed columns, and paragraphs."""
    lines = [line.strip(" \t\u3000\ufeff") for line in _LINE_END.split(text)]
    width = _wrap_width(lines)
    pending = ""
    table: list[list[str]] = []
    last = ""
    for line in lines:
        if line.count("\t") >= 1 and line.strip():
            _add_paragraph(builder, pending)
            pending, last = "", ""
            table.append(line.split("\t"))
            continue
        _flush_table(builder, table)
        if pending and _continues(last, line, width):
            pending = join_lines(pending, line)
        else:
            _add_paragraph(builder, pending)
            pending = line
        last = line
    _flush_table(builder, table)
    _add_paragraph(builder, pending)


def _flush_table(builder: DocumentBuilder, table: list[list[str]]) -> None:
    if len(table) == 1:
        _add_paragraph(builder, " ".join(table[0]))
    elif table:
        add_table(builder, table)
    table.clear()


def _wrap_width(lines: list[str]) -> int:
    """The fixed width that lines were broken at, 0 when each line is a paragraph."""
    lengths = sorted(len(line) for line in lines if line)
    if len(lengths) < 4 or lengths[-1] > _MAX_WRAP or lengths[-1] < 20:
        return 0
    widest = lengths[int(len(lengths) * 0.95) - 1]
    full = sum(length >= widest * 0.8 for length in lengths)
    return widest if full >= 0.5 * len(lengths) else 0


def _continues(last: str, line: str, width: int) -> bool:
    if not last or not line or starts_block(line) or guess_heading(line) or guess_heading(last):
        return False
    if last[-1] in ",，、":
        return True
    if line[0].isascii() and line[0].islower() and not ends_sentence(last):
        return True
    return bool(width) and len(last) >= width * 0.8 and not ends_sentence(last)


def _add_paragraph(builder: DocumentBuilder, text: str) -> None:
    if not text:
        return
    level = guess_heading(text)
    if level:
        builder.heading(text, level)
    else:
        builder.add("list_item" if LIST_ITEM.match(text) else "paragraph", text)
