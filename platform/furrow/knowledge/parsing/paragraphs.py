"""Joins the lines of pages into headings, paragraphs and list items."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from furrow.knowledge.parsing.builder import DocumentBuilder
from furrow.knowledge.parsing.headings import guess_heading
from furrow.knowledge.parsing.layout import Element, TableGrid, TextLine
from furrow.knowledge.parsing.lines import LIST_ITEM, ends_sentence, join_lines, starts_block
from furrow.knowledge.parsing.tables import add_table

_HEADING_RATIO = 1.15
_MAX_HEADING = 80


@dataclass(frozen=True, slots=True)
class TypeSizes:
    """The size of body text and the larger sizes, largest first, that headings use."""

    body: float
    headings: tuple[float, ...]


def measure_sizes(pages: Iterable[Sequence[Element]]) -> TypeSizes:
    """The commonest size by characters is body text; sizes well above it are headings."""
    weights: Counter[float] = Counter()
    for elements in pages:
        for element in elements:
            if isinstance(element, TextLine):
                weights[_rounded(element.size)] += len(element.text)
    if not weights:
        return TypeSizes(0.0, ())
    body = weights.most_common(1)[0][0]
    larger = sorted((size for size in weights if size >= body * _HEADING_RATIO), reverse=True)
    return TypeSizes(body, tuple(larger[:4]))


class ParagraphWriter:
    """Adds one page after the other; keeps a sentence whole that runs on to the next page."""

    def __init__(self, builder: DocumentBuilder, sizes: TypeSizes) -> None:
        self._builder = builder
        self._sizes = sizes
        self._text = ""
        self._last: TextLine | None = None
        self._lines: list[TextLine] = []
        self._columns: tuple[str, ...] = ()

    def write(self, elements: Sequence[Element]) -> None:
        """Adds a page's elements; the last paragraph is not held back."""
        self._lines = [element for element in elements if isinstance(element, TextLine)]
        for element in elements:
            if isinstance(element, TableGrid):
                self._flush()
                names = self._columns if element is elements[0] else ()
                self._columns = add_table(self._builder, element.rows, continued=names)
            elif level := self.heading_level(element):
                self._heading(element, level)
            else:
                self._line(element)
        self._flush()
        if elements and not isinstance(elements[-1], TableGrid):
            self._columns = ()

    def heading_level(self, line: TextLine) -> int:
        """By size, then by wording where the line is bold or stands out; 0 for body text."""
        if len(line.text) > _MAX_HEADING or not any(char.isalpha() for char in line.text):
            return 0
        size = _rounded(line.size)
        if self._sizes.body and size >= self._sizes.body * _HEADING_RATIO:
            larger = [index for index, step in enumerate(self._sizes.headings) if size >= step]
            return larger[0] + 1 if larger else len(self._sizes.headings)
        guessed = guess_heading(line.text)
        return guessed + len(self._sizes.headings[:2]) if guessed else 0

    def _heading(self, line: TextLine, level: int) -> None:
        self._flush()
        self._builder.heading(line.text, level)

    def _line(self, line: TextLine) -> None:
        if self._last is not None and self._continues(self._last, line):
            self._text = join_lines(self._text, line.text)
        else:
            self._flush()
            self._text = line.text
        self._last = line

    def _continues(self, last: TextLine, line: TextLine) -> bool:
        if starts_block(line.text) or abs(last.size - line.size) > 0.15 * last.size:
            return False
        gap = line.y0 - last.y1
        if gap > 1.1 * last.size or line.y0 < last.y0 - last.size:
            # Further up the page is the next column: the same paragraph if it was broken there.
            return line.y0 < last.y0 - last.size and not ends_sentence(last.text)
        is_indented = line.x0 > last.x0 + 1.2 * last.size and not LIST_ITEM.match(self._text)
        if is_indented:
            return False
        margin = self._margin_of(last)
        if last.x1 >= margin - 2.5 * last.size:
            return True
        return not ends_sentence(last.text) and last.x1 - last.x0 >= 0.6 * (margin - last.x0)

    def _margin_of(self, line: TextLine) -> float:
        """Where the lines of the same column end."""
        near = 4 * line.size
        return max(
            (other.x1 for other in self._lines if abs(other.x0 - line.x0) < near), default=line.x1
        )

    def _flush(self) -> None:
        text, self._text, self._last = self._text.strip(), "", None
        if text:
            self._builder.add("list_item" if LIST_ITEM.match(text) else "paragraph", text)


def _rounded(size: float) -> float:
    return round(size * 2) / 2
