"""From a place in the read text to the place an edit of the Word file needs.

The reader shows numbers that the file does not contain, trims paragraphs and joins the cells of a table row; the
redline layer names paragraphs as the file has them. Both go through the file in the same order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apps.contracts.reading import ContractText
from apps.contracts.reading.text import Paragraph

# How far ahead a paragraph is looked for before it is taken for one that the file has not.
_AHEAD = 60


@dataclass(frozen=True, slots=True)
class Segment:
    """Characters `start` to `end` of the read text are those of paragraph `line` from `at` on."""

    start: int
    end: int
    line: int
    at: int


@dataclass(frozen=True, slots=True)
class Spot:
    line: int
    start: int
    end: int


class Places:
    def __init__(self, source: ContractText, lines: Sequence[str]) -> None:
        self._source = source
        self._lines = lines
        self._cursor = 0
        self._by_paragraph: dict[int, list[Segment]] = {}
        for paragraph in source.paragraphs:
            self._by_paragraph[paragraph.number] = list(self._segments(paragraph))

    def spot(self, start: int, end: int) -> Spot | None:
        """Where the stretch stands in the file, when it stands in one paragraph there."""
        paragraph = self._source.paragraph_at(start)
        for segment in self._by_paragraph.get(paragraph.number, []):
            if segment.start <= start and end <= segment.end:
                at = segment.at + start - segment.start
                if self._lines[segment.line][at : at + end - start] == self._source.text[start:end]:
                    return Spot(segment.line, at, at + end - start)
        return None

    def near(self, start: int) -> Spot | None:
        """The whole paragraph of the file around the place, for a remark."""
        paragraph = self._source.paragraph_at(start)
        segments = self._by_paragraph.get(paragraph.number, [])
        for segment in [s for s in segments if s.start <= start < s.end] + segments:
            if self._lines[segment.line]:
                return Spot(segment.line, 0, len(self._lines[segment.line]))
        return None

    def length_of(self, line: int) -> int:
        return len(self._lines[line])

    def line_of(self, paragraph: int) -> int | None:
        """The last paragraph of the file that the read paragraph comes from, or the one before it."""
        for number in range(paragraph, -1, -1):
            if segments := self._by_paragraph.get(number):
                return segments[-1].line
        return None

    def _segments(self, paragraph: Paragraph) -> Iterator[Segment]:
        words = self._source.words_of(paragraph)
        if paragraph.table is not None:
            yield from self._cells(paragraph, words)
            return
        for line in self._ahead():
            bare = self._lines[line].strip()
            if bare and words.endswith(bare):
                self._cursor = line + 1
                lead = len(self._lines[line]) - len(self._lines[line].lstrip())
                start = paragraph.start + len(words) - len(bare)
                yield Segment(start, paragraph.end, line, lead)
                return

    def _cells(self, paragraph: Paragraph, words: str) -> Iterator[Segment]:
        place = 0
        for name, value in paragraph.cells or (("", words),):
            at = words.find(value, place + (len(name) + 2 if name else 0))
            if at < 0 or not value:
                continue
            place = at + len(value)
            for line in self._ahead():
                bare = self._lines[line].strip()
                if bare == value:
                    self._cursor = line + 1
                    lead = len(self._lines[line]) - len(self._lines[line].lstrip())
                    start = paragraph.start + at
                    yield Segment(start, start + len(value), line, lead)
                    break

    def _ahead(self) -> range:
        return range(self._cursor, min(self._cursor + _AHEAD, len(self._lines)))
