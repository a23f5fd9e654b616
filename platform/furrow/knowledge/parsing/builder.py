"""Joins blocks into one text while keeping offsets, pages and heading paths right."""

import re

from furrow.knowledge.parsing.document import (
    Block,
    BlockKind,
    PageSpan,
    ParsedDocument,
    TableCellHeader,
)
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseJob

# NUL and lone surrogates cannot be stored in a UTF-8 database column. Other odd characters stay,
# so that cleaning can flag them.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TIGHT: frozenset[BlockKind] = frozenset({"list_item", "table_header", "table_row", "running"})


class DocumentBuilder:
    """Collects blocks in reading order; `build` may be called once."""

    def __init__(self, job: ParseJob) -> None:
        self._job = job
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._page_starts: list[tuple[int, int]] = []
        self._headings: list[tuple[int, str]] = []
        self._tables = 0

    @property
    def page(self) -> int | None:
        """The page that the next block falls on."""
        return self._page_starts[-1][0] if self._page_starts else None

    @property
    def has_blocks(self) -> bool:
        return bool(self._blocks)

    def start_page(self, number: int) -> None:
        """Blocks added from here on belong to this page, sheet or slide."""
        self._page_starts.append((number, self._length))

    def next_table(self) -> int:
        """A number for a table that is about to be added."""
        self._tables += 1
        return self._tables

    def heading(self, text: str, level: int) -> None:
        """Also becomes the path of what follows; `level` counts from 1."""
        cleaned = _tidy(text).replace("\n", " ")
        if not cleaned:
            return
        self._headings = [entry for entry in self._headings if entry[0] < level]
        self.add("heading", cleaned, level=level)
        self._headings.append((level, cleaned[:200]))

    def add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        table: TableCellHeader | None = None,
    ) -> None:
        """White space around the text is dropped; an empty block is not added."""
        text = _tidy(text)
        if not text:
            return
        if self._blocks:
            self._append(self._gap_before(kind))
        start = self._length
        self._append(text)
        if self._length > self._job.limits.max_chars:
            raise ParseFailure("too_large", f"more than {self._job.limits.max_chars} characters")
        path = tuple(heading for _, heading in self._headings)
        self._blocks.append(Block(kind, text, level, self.page, start, self._length, path, table))

    def build(self, *, title: str = "", meta: dict[str, str] | None = None) -> ParsedDocument:
        """The finished document; its title falls back to the first heading."""
        text = "".join(self._parts)
        first = next((block.text for block in self._blocks if block.kind == "heading"), "")
        return ParsedDocument(
            text=text,
            blocks=tuple(self._blocks),
            pages=self._pages(),
            page_count=len(self._page_starts),
            title=(_tidy(title).replace("\n", " ") or first)[:300],
            language=guess_language(text),
            warnings=tuple(self._job.warnings),
            meta=meta or {},
        )

    def _gap_before(self, kind: BlockKind) -> str:
        last = self._blocks[-1]
        is_tight = kind in _TIGHT and last.kind in _TIGHT
        return "\n" if is_tight else "\n\n"

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _pages(self) -> tuple[PageSpan, ...]:
        ends = [start for _, start in self._page_starts[1:]] + [self._length]
        starts = [0] + [start for _, start in self._page_starts[1:]]
        numbers = [number for number, _ in self._page_starts]
        return tuple(
            PageSpan(number, start, end)
            for number, start, end in zip(numbers, starts, ends, strict=False)
        )


def guess_language(text: str) -> str:
    """`zh` when Han characters are a fifth of the letters; each of them counts as two letters."""
    sample = text[:20_000]
    han = sum("\u3400" <= char <= "\u9fff" for char in sample)
    latin = sum(char.isalpha() and char < "\u0250" for char in sample)
    if not han and not latin:
        return ""
    return "zh" if 2 * han >= 0.2 * (2 * han + latin) else "en"


def _tidy(text: str) -> str:
    return _UNSTORABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
