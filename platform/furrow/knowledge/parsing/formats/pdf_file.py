"""PDF: text in reading order, headings by size, ruled and aligned tables, scans by recognition."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats.pdf_page import page_rules, page_text
from furrow.knowledge.parsing.formats.running_lines import split_running
from furrow.knowledge.parsing.layout import Element, TextLine, arrange
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.lines import ends_sentence, starts_block
from furrow.knowledge.parsing.paragraphs import ParagraphWriter, measure_sizes
from furrow.knowledge.parsing.rulings import find_grids, find_open_grids
from furrow.knowledge.sentences import split_sentences

# A page with fewer characters that also holds pictures or drawings is taken for a scan.
_FEW_CHARS = 12
_GARBLED_SHARE = 0.3
_RENDER_SIDE = 2_200
_RENDER_SCALE = 3.0
_MAX_CARRIED_LINES = 4
_FILE_TITLE = re.compile(
    r"^Microsoft \w+ - |^(?:untitled|无标题|about:blank)|\.(?:docx?|xlsx?|pptx?|html?|pdf|wps|txt|indd)$",
    re.IGNORECASE,
)


class _Page(NamedTuple):
    height: float
    elements: list[Element]
    needs_ocr: bool


def read(path: Path, job: ParseJob) -> ParsedDocument:
    """Pages without a usable text layer are rendered and recognised, the others never are."""
    with _open(path) as pdf:
        count = len(pdf)
        if count > job.limits.max_pages:
            raise ParseFailure("too_many_pages", f"{count} pages")
        if not count:
            raise ParseFailure("damaged", "no pages")
        pages = [_read_page(pdf, index, count, job) for index in range(count)]
        _recognise(pdf, pages, job)
        title = _title(str(pdf.get_metadata_dict().get("Title") or ""))
    return _assemble(pages, job, title)


def _title(stored: str) -> str:
    """Printing programs store a file name there, which is no title."""
    return "" if _FILE_TITLE.search(stored.strip()) else stored


def _open(path: Path) -> Any:
    try:
        return pdfium.PdfDocument(str(path))
    except pdfium.PdfiumError as error:
        is_locked = error.err_code == pdfium_c.FPDF_ERR_PASSWORD
        raise ParseFailure("encrypted" if is_locked else "damaged", "pdf") from error


def _read_page(pdf: Any, index: int, count: int, job: ParseJob) -> _Page:
    try:
        page = pdf[index]
    except pdfium.PdfiumError:
        job.warn("page_unreadable", "This page is damaged and was left out.", index + 1)
        return _Page(0.0, [], needs_ocr=False)
    height = page.get_height()
    horizontal, vertical = page_rules(page)
    text = page_text(page, vertical)
    is_garbled = text.garbled > _GARBLED_SHARE * max(1, text.readable)
    needs_ocr = is_garbled or (text.readable < _FEW_CHARS and _has_drawing(page))
    elements: list[Element] = []
    if not needs_ocr:
        boxes = [(piece.x0, piece.y0, piece.x1, piece.y1) for piece in text.segments]
        grids = find_grids(horizontal, vertical)
        grids = grids or find_open_grids(horizontal, boxes)
        elements = arrange(text.segments, grids, sorted({rule.at for rule in horizontal}))
    elif is_garbled:
        job.warn(
            "garbled_text_layer",
            "The stored text is unreadable; the page was read as a picture.",
            index + 1,
        )
    page.close()
    job.on_progress(index + 1, count)
    return _Page(height, elements, needs_ocr)


def _has_drawing(page: Any) -> bool:
    kinds = (pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_PATH, pdfium_c.FPDF_PAGEOBJ_SHADING)
    return next(iter(page.get_objects(filter=list(kinds), max_depth=3)), None) is not None


def _recognise(pdf: Any, pages: list[_Page], job: ParseJob) -> None:
    """Fills the pages that need it, in place."""
    wanted = [index for index, page in enumerate(pages) if page.needs_ocr]
    if not wanted:
        return
    for index in wanted[job.limits.max_ocr_pages :]:
        job.warn("ocr_page_limit", "This scanned page was left out; there are too many.", index + 1)
    wanted = wanted[: job.limits.max_ocr_pages]
    job.before_ocr(len(wanted))
    from furrow.knowledge.parsing.ocr import Recogniser  # noqa: PLC0415  loads large models

    recogniser: Recogniser | None = None
    for done, index in enumerate(wanted, start=1):
        page = pdf[index]
        width, height = page.get_size()
        scale = min(_RENDER_SCALE, _RENDER_SIDE / max(width, height, 1.0))
        with job.ocr_turn():
            recogniser = recogniser or Recogniser()
            bitmap = page.render(scale=scale, grayscale=False, rev_byteorder=False)
            segments = recogniser.read(bitmap.to_numpy()[:, :, :3], scale=1 / scale)
            bitmap.close()
        page.close()
        if not segments:
            job.warn("page_without_text", "No text was found on this page.", index + 1)
        pages[index] = _Page(height, arrange(segments), needs_ocr=True)
        job.on_progress(len(pages) - len(wanted) + done, len(pages))


def _assemble(pages: list[_Page], job: ParseJob, title: str) -> ParsedDocument:
    split = split_running([(page.height, page.elements) for page in pages])
    bodies = [body for body, _, _ in split]
    for first, second in zip(bodies, bodies[1:], strict=False):
        _carry_sentence(first, second)
    builder = DocumentBuilder(job)
    writer = ParagraphWriter(builder, measure_sizes(bodies))
    for number, (body, (_, headers, footers)) in enumerate(
        zip(bodies, split, strict=True), start=1
    ):
        builder.start_page(number)
        for line in headers:
            builder.add("running", line)
        writer.write(body)
        for line in footers:
            builder.add("running", line)
    recognised = sum(page.needs_ocr for page in pages)
    has_body = any(bodies)
    document = builder.build(title=title, meta={"ocr_pages": str(recognised)})
    return document if has_body else replace(document, text="", blocks=(), pages=())


def _carry_sentence(first: list[Element], second: list[Element]) -> None:
    """Moves the rest of a sentence that a page break cut to the page where it began."""
    if not first or not second:
        return
    last = first[-1]
    if not isinstance(last, TextLine) or ends_sentence(last.text):
        return
    moved: list[TextLine] = []
    for element in second[:_MAX_CARRIED_LINES]:
        if not isinstance(element, TextLine) or starts_block(element.text):
            return
        if abs(element.size - last.size) > 0.15 * last.size:
            return
        spans = split_sentences(element.text)
        is_end = len(spans) > 1 or ends_sentence(element.text)
        moved.append(element)
        if is_end:
            _move(first, second, moved, spans[0][1])
            return


def _move(first: list[Element], second: list[Element], moved: list[TextLine], cut: int) -> None:
    rest = moved[-1].text[cut:].strip()
    remaining = [replace(moved[-1], text=rest)] if rest else []
    second[: len(moved)] = remaining
    last = first[-1]
    for line in [*moved[:-1], replace(moved[-1], text=moved[-1].text[:cut])]:
        # Placed under the last line, so that the paragraph writer joins them.
        height = last.y1 - last.y0 if isinstance(last, TextLine) else 0.0
        line = replace(line, y0=last.y1, y1=last.y1 + height)
        first.append(line)
        last = line
