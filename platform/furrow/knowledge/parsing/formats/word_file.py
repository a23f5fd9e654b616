"""Word documents: the text as it reads with all tracked changes accepted."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats.word_numbering import Numbering, W
from furrow.knowledge.parsing.formats.word_styles import ParagraphStyle, Styles
from furrow.knowledge.parsing.headings import guess_heading
from furrow.knowledge.parsing.limits import ParseJob
from furrow.knowledge.parsing.lines import LIST_ITEM
from furrow.knowledge.parsing.tables import add_table

_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
# Deleted and moved-away text, field codes, and the fallback twin of a newer drawing.
_LEFT_OUT = {f"{W}del", f"{W}moveFrom", f"{W}instrText", f"{W}delText", f"{W}pPr", f"{W}rPr",
             f"{_MC}Fallback", f"{W}rt"}  # fmt: skip
_NOTE_MARKS = {f"{W}footnoteReference": "footnotes", f"{W}endnoteReference": "endnotes"}
_HOLDERS = {f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}moveTo", f"{W}customXml", f"{W}smartTag"}
_SYMBOLS = {"F0FE": "☑", "F0A8": "☐", "F0FC": "✓", "F06F": "☐", "F052": "☑"}
_MAX_DEPTH = 40


def read(path: Path, job: ParseJob) -> ParsedDocument:
    """Pages are those Word noted when it last saved; files of other writers have none."""
    with zipfile.ZipFile(path) as archive:
        root = _part(archive, "word/document.xml")
        body = root.find(f"{W}body") if root is not None else None
        if body is None:
            raise ParseFailure("damaged", "no document body")
        walk = _Walk(archive, job)
        walk.has_pages = next(body.iter(f"{W}lastRenderedPageBreak"), None) is not None
        walk.run(body)
        core = _part(archive, "docProps/core.xml")
        title = (core.findtext(_DC_TITLE) or "") if core is not None else ""
    job.on_progress(1, 1)
    return walk.builder.build(title=title)


def _part(archive: zipfile.ZipFile, name: str) -> etree._Element | None:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, recover=False
    )
    try:
        return etree.fromstring(archive.read(name), parser)
    except KeyError:
        return None
    except etree.XMLSyntaxError as error:
        raise ParseFailure("damaged", f"{name} is no XML") from error


class _Walk:
    def __init__(self, archive: zipfile.ZipFile, job: ParseJob) -> None:
        self.builder = DocumentBuilder(job)
        self.has_pages = False
        self._styles = Styles(_part(archive, "word/styles.xml"))
        self._numbering = Numbering(_part(archive, "word/numbering.xml"))
        self._notes = {
            name: _notes(_part(archive, f"word/{name}.xml")) for name in _NOTE_MARKS.values()
        }
        self._page = 1
        self._pending_notes: list[tuple[str, str]] = []
        self._note_count = 0
        self._boxes: list[etree._Element] = []

    def run(self, body: etree._Element) -> None:
        if self.has_pages:
            self.builder.start_page(1)
        self._container(body, 0)

    def _container(self, parent: etree._Element, depth: int) -> None:
        for child in parent:
            if child.tag == f"{W}p":
                self._paragraph(child)
            elif child.tag == f"{W}tbl":
                self._table(child)
            elif child.tag in _HOLDERS and depth < _MAX_DEPTH:
                self._container(child, depth + 1)

    def _paragraph(self, paragraph: etree._Element) -> None:
        style = self._styles.of(paragraph)
        breaks = self._page_breaks(paragraph)
        text = self._text(paragraph)
        # A break before the first words moves the paragraph itself to the next page.
        if breaks and self._starts_with_break(paragraph):
            self._next_page(1)
            breaks -= 1
        label = self._numbering.label(style.number_id, style.number_level) if text.strip() else ""
        self._add(text, label, style)
        self._next_page(breaks)
        self._add_notes_and_boxes()

    def _add(self, text: str, label: str, style: ParagraphStyle) -> None:
        shown = f"{label} {text.strip()}" if label else text.strip()
        level = style.heading or guess_heading(shown)
        if level:
            self.builder.heading(shown, level)
        elif label or LIST_ITEM.match(shown):
            self.builder.add("list_item", shown, level=style.number_level + 1)
        else:
            self.builder.add("caption" if style.is_caption else "paragraph", shown)

    def _page_breaks(self, paragraph: etree._Element) -> int:
        if not self.has_pages:
            return 0
        return sum(1 for _ in paragraph.iter(f"{W}lastRenderedPageBreak"))

    def _starts_with_break(self, paragraph: etree._Element) -> bool:
        for element in paragraph.iter(f"{W}lastRenderedPageBreak", f"{W}t"):
            if element.tag != f"{W}t":
                return True
            if (element.text or "").strip():
                return False
        return False

    def _next_page(self, count: int) -> None:
        for _ in range(count):
            self._page += 1
            self.builder.start_page(self._page)

    def _text(self, element: etree._Element) -> str:
        return "".join(self._pieces(element))

    def _pieces(self, root: etree._Element) -> Iterator[str]:
        """Iterative: documents may be nested deeper than Python's stack."""
        stack = list(reversed(root))
        while stack:
            element = stack.pop()
            tag = element.tag
            if tag in _LEFT_OUT or not isinstance(tag, str):
                continue
            if tag == f"{W}txbxContent":
                self._boxes.append(element)
            elif tag == f"{W}t":
                yield element.text or ""
            elif tag in _NOTE_MARKS:
                yield self._note_mark(_NOTE_MARKS[tag], element.get(f"{W}id") or "")
            elif mark := _character(element):
                yield mark
            else:
                stack.extend(reversed(element))

    def _note_mark(self, kind: str, identity: str) -> str:
        note = self._notes[kind].get(identity)
        if note is None:
            return ""
        self._note_count += 1
        text = " ".join(self._text(paragraph).strip() for paragraph in note.iter(f"{W}p"))
        self._pending_notes.append((f"[{self._note_count}]", text.strip()))
        return f"[{self._note_count}]"

    def _add_notes_and_boxes(self) -> None:
        notes, self._pending_notes = self._pending_notes, []
        for mark, text in notes:
            self.builder.add("note", f"{mark} {text}")
        boxes, self._boxes = self._boxes, []
        for box in boxes:
            self._container(box, 1)

    def _table(self, table: etree._Element) -> None:
        rows: list[list[str]] = []
        marked = 0
        for row in _children(table, f"{W}tr"):
            if row.find(f"{W}trPr/{W}del") is not None:
                continue
            is_head = row.find(f"{W}trPr/{W}tblHeader") is not None
            marked += is_head and marked == len(rows)
            rows.append(self._row(row, rows[-1] if rows else []))
        if max((len(row) for row in rows), default=0) == 1:
            # One column is a frame around text, not a table.
            for cell in table.iter(f"{W}tc"):
                self._container(cell, 1)
            return
        add_table(self.builder, rows, header_rows=marked or None)
        self._next_page(self._page_breaks(table))
        self._add_notes_and_boxes()

    def _row(self, row: etree._Element, above: list[str]) -> list[str]:
        cells: list[str] = []
        for cell in _children(row, f"{W}tc"):
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            is_continued = merge is not None and merge.get(f"{W}val") != "restart"
            if is_continued and len(cells) < len(above):
                text = above[len(cells)]
            else:
                text = " ".join(self._cell_lines(cell))
            span = cell.find(f"{W}tcPr/{W}gridSpan")
            width = int(span.get(f"{W}val") or 1) if span is not None else 1
            cells.extend([text] * max(1, min(width, 64)))
        return cells

    def _cell_lines(self, cell: etree._Element) -> Iterator[str]:
        for paragraph in cell.iter(f"{W}p"):
            style = self._styles.of(paragraph)
            text = self._text(paragraph).strip()
            label = self._numbering.label(style.number_id, style.number_level) if text else ""
            yield f"{label} {text}" if label else text


def _character(element: etree._Element) -> str:
    """What elements without text stand for."""
    tag = element.tag
    if tag == f"{W}tab":
        return "\t"
    if tag in (f"{W}br", f"{W}cr"):
        return "" if element.get(f"{W}type") == "page" else "\n"
    if tag == f"{W}noBreakHyphen":
        return "-"
    if tag == f"{W}sym":
        return _SYMBOLS.get((element.get(f"{W}char") or "").upper(), "")
    return ""


def _children(parent: etree._Element, tag: str) -> Iterator[etree._Element]:
    """Rows or cells, also inside content controls."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in _HOLDERS:
            yield from (
                inner for inner in child.iter(tag) if _owner(inner, tag) is _owner(child, tag)
            )


def _owner(element: etree._Element, tag: str) -> etree._Element | None:
    """The table, or row, that this row, or cell, belongs to."""
    holder = f"{W}tbl" if tag == f"{W}tr" else f"{W}tr"
    return next(element.iterancestors(holder), None)


def _notes(root: etree._Element | None) -> dict[str, etree._Element]:
    if root is None:
        return {}
    # Two of the notes are only the lines drawn above the others.
    return {
        note.get(f"{W}id") or "": note
        for note in root
        if "separator" not in (note.get(f"{W}type") or "").lower()
    }
