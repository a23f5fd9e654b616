"""One text of a contract with its paragraphs and pages: a place in any of them is found from any other."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from furrow.knowledge.parsing.document import Block, PageSpan, ParsedDocument


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`cells` of a table row are column name and value; other paragraphs have none."""

    number: int
    start: int
    end: int
    page: int | None = None
    table: int | None = None
    cells: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a character stands: page (None where the format has none), paragraph, place within it."""

    page: int | None
    paragraph: int
    within: int


@dataclass(frozen=True)
class ContractText:
    """Paragraphs are in order and do not overlap; offsets count code points."""

    text: str
    paragraphs: tuple[Paragraph, ...]
    pages: tuple[PageSpan, ...] = ()
    _starts: list[int] = field(init=False, repr=False, compare=False)
    _page_starts: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", [p.start for p in self.paragraphs])
        object.__setattr__(self, "_page_starts", [p.start for p in self.pages])

    @classmethod
    def from_parsed(cls, parsed: ParsedDocument) -> "ContractText":
        """Repeated page headers and footers are left out of the paragraphs, not of the text."""
        body = [block for block in parsed.blocks if block.kind != "running"]
        paragraphs = tuple(
            Paragraph(
                number,
                block.start,
                block.end,
                block.page,
                block.table.table if block.table else None,
                _cells(block),
            )
            for number, block in enumerate(body)
        )
        return cls(parsed.text, paragraphs, parsed.pages)

    @classmethod
    def from_paragraphs(cls, lines: Sequence[str]) -> "ContractText":
        """The paragraphs of a Word file as the redline layer numbers them; a place is an edit's place."""
        paragraphs: list[Paragraph] = []
        place = 0
        for number, line in enumerate(lines):
            paragraphs.append(Paragraph(number, place, place + len(line)))
            place += len(line) + 1
        return cls("\n".join(lines), tuple(paragraphs))

    def paragraph_at(self, offset: int) -> Paragraph:
        """The paragraph that holds the character, or the nearest one before it."""
        return self.paragraphs[max(bisect_right(self._starts, offset) - 1, 0)]

    def page_at(self, offset: int) -> int | None:
        if not self.pages:
            return self.paragraph_at(offset).page if self.paragraphs else None
        return self.pages[max(bisect_right(self._page_starts, offset) - 1, 0)].number

    def place_of(self, offset: int) -> Place:
        paragraph = self.paragraph_at(offset)
        return Place(self.page_at(offset), paragraph.number, offset - paragraph.start)

    def offset_of(self, paragraph: int, within: int = 0) -> int:
        """The way back from `place_of`."""
        return self.paragraphs[paragraph].start + within

    def page_span(self, number: int) -> tuple[int, int]:
        """Start and end of a page in the text; raises `KeyError` for a page that is not there."""
        for page in self.pages:
            if page.number == number:
                return page.start, page.end
        raise KeyError(number)

    def words_of(self, paragraph: Paragraph) -> str:
        return self.text[paragraph.start : paragraph.end]


def _cells(block: Block) -> tuple[tuple[str, str], ...]:
    """A row reads `name: value | name: value`; a column's name may itself be missing."""
    if block.table is None or block.kind != "table_row":
        return ()
    names = set(block.table.header)
    cells = []
    for cell in block.text.split(" | "):
        name, separator, value = cell.partition(": ")
        is_named = bool(separator) and name in names
        cells.append((name, value) if is_named else ("", cell))
    return tuple(cells)
