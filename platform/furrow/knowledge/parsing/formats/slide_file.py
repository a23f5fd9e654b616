"""Presentations: each slide is a page with its title, text, tables and notes."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pptx
from pptx.exc import PythonPptxError

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.tables import add_table

_MAX_GROUP_DEPTH = 20
# Shapes whose tops differ by less than this stand side by side (a tenth of an inch, in EMU).
_SAME_ROW = 91_440


def read(path: Path, job: ParseJob) -> ParsedDocument:
    """Shapes are read from top to bottom, left to right."""
    try:
        deck = pptx.Presentation(str(path))
    except (PythonPptxError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ParseFailure("damaged", type(error).__name__) from error
    if len(deck.slides) > job.limits.max_pages:
        raise ParseFailure("too_many_pages", f"{len(deck.slides)} slides")
    builder = DocumentBuilder(job)
    for number, slide in enumerate(deck.slides, start=1):
        job.on_progress(number - 1, len(deck.slides))
        builder.start_page(number)
        _add_slide(builder, slide, job)
    job.on_progress(len(deck.slides), len(deck.slides))
    return builder.build(title=deck.core_properties.title or "")


def _add_slide(builder: DocumentBuilder, slide: Any, job: ParseJob) -> None:
    title = slide.shapes.title
    if title is not None:
        builder.heading(title.text_frame.text.replace("\v", " "), 1)
    has_text = title is not None and bool(title.text_frame.text.strip())
    has_picture = False
    for shape in sorted(_flatten(slide.shapes, 0), key=_position):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        has_picture = has_picture or hasattr(shape, "image")
        has_text = _add_shape(builder, shape) or has_text
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        builder.add("note", slide.notes_slide.notes_text_frame.text.replace("\v", "\n"))
    if has_picture and not has_text:
        job.warn(
            "picture_only_page",
            "This slide holds only a picture; its text was not read.",
            builder.page,
        )


def _flatten(shapes: Any, depth: int) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            if depth < _MAX_GROUP_DEPTH:
                yield from _flatten(shape.shapes, depth + 1)
        else:
            yield shape


def _position(shape: Any) -> tuple[int, int]:
    return ((shape.top or 0) // _SAME_ROW, shape.left or 0)


def _add_shape(builder: DocumentBuilder, shape: Any) -> bool:
    if getattr(shape, "has_table", False):
        rows = [[_cell_text(cell) for cell in row.cells] for row in shape.table.rows]
        add_table(builder, rows, header_rows=1 if shape.table.first_row else None)
        return True
    if not getattr(shape, "has_text_frame", False):
        return False
    has_text = False
    for paragraph in shape.text_frame.paragraphs:
        text = paragraph.text.replace("\v", "\n").strip()
        is_item = paragraph.level > 0 or _is_body(shape)
        builder.add("list_item" if is_item else "paragraph", text, level=paragraph.level + is_item)
        has_text = has_text or bool(text)
    return has_text


def _cell_text(cell: Any) -> str:
    return "" if cell.is_spanned else str(cell.text_frame.text)


def _is_body(shape: Any) -> bool:
    """Text in the body placeholder of a layout is a list of points."""
    return bool(shape.is_placeholder) and len(shape.text_frame.paragraphs) > 1
