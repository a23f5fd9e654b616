"""Cuts a parsed document into chunks along its structure.

A chunk is one stretch of the document's text. It never begins or ends inside a sentence unless
the sentence alone is too long, never mixes sections that stand on their own, and never parts a
question from its answer while both fit.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from furrow.knowledge.cleaning.flag import Flag
from furrow.knowledge.parsing.document import Block, ParsedDocument
from furrow.knowledge.sentences import split_sentences
from furrow.knowledge.text.names import readable

ChunkKind = Literal["text", "table", "qa", "code"]


@dataclass(frozen=True, slots=True)
class ChunkDraft:
    """`document.text[start:end] == text`; `header` is context for retrieval, not for quoting.

    `page` is where the chunk begins; `flags` are those that touch it, with document offsets.
    """

    ordinal: int
    text: str
    page: int | None
    start: int
    end: int
    heading_path: tuple[str, ...]
    header: str
    kind: ChunkKind
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sizes:
    target: int
    limit: int

    @property
    def small(self) -> int:
        return self.target // 6


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, a whole block, or a part of an over-long sentence."""

    start: int
    end: int
    block: Block
    group: int
    kind: ChunkKind


# Han text says in one character what English says in two to three.
_SIZES = {"zh": _Sizes(400, 600), "en": _Sizes(1_000, 1_500)}
_QUESTION = re.compile(r"(?:问题?|[Qq]|Question)\s*\d{0,3}\s*[:：.、]|【问】")
_ANSWER = re.compile(r"(?:答案?|[Aa]|Answer)\s*\d{0,3}\s*[:：.、]|【答】")
_QA_COLUMNS = frozenset({"问题", "问", "答案", "回答", "答", "question", "answer", "q", "a"})
_CUTS = "，,；;、：: \t"
_OPENING = {"zh": 30, "en": 80}
_MAX_HEADER = 300


def chunk_document(  # noqa: PLR0913  what may be said about a document
    document: ParsedDocument,
    *,
    title: str,
    target_chars: int | None = None,
    max_chars: int | None = None,
    language: str = "",
    flags: Sequence[Flag] = (),
    left_out: frozenset[int] = frozenset(),
    kept: frozenset[int] = frozenset(),
) -> list[ChunkDraft]:
    """Chunks in the order of the text. Page headers and footers are in none of them unless they start at one of
    `kept`, nor are blocks that start at one of `left_out`.
    """
    spoken = "zh" if (language or document.language).startswith("zh") else "en"
    usual = _SIZES[spoken]
    target = target_chars or usual.target
    sizes = _Sizes(target, max(target, max_chars or max(usual.limit, target * 3 // 2)))
    shut = {b.start for b in document.blocks if b.kind == "running"} - kept | left_out
    stretches = _pack(list(_pieces(document, sizes, shut)), sizes)
    writer = _Writer(document, title or document.title, _OPENING[spoken], flags)
    return [writer.draft(ordinal, pieces) for ordinal, pieces in enumerate(stretches)]


def _pieces(document: ParsedDocument, sizes: _Sizes, shut: set[int]) -> Iterator[_Piece]:
    """Pieces of one group belong together; a new group starts a new chunk."""
    groups = _Groups()
    for block in document.blocks:
        if block.start in shut:
            groups.cut()
            continue
        group, kind = groups.place(block)
        if block.end - block.start <= sizes.target or block.kind in ("heading", "table_row"):
            spans = [(block.start, block.end)]
        else:
            spans = [(block.start + a, block.start + b) for a, b in split_sentences(block.text)]
        for start, end in spans:
            for part in _parts(document.text, start, end, sizes.limit):
                yield _Piece(*part, block, group, kind)


class _Groups:
    """Numbers the groups while walking over the blocks."""

    def __init__(self) -> None:
        self._group = 0
        self._last: Block | None = None
        self._in_pair = False

    def cut(self) -> None:
        """What follows does not touch what came before."""
        self._group += 1
        self._last = None

    def place(self, block: Block) -> tuple[int, ChunkKind]:
        last, self._last = self._last, block
        is_pair_row = _is_qa_row(block)
        starts_pair = bool(_QUESTION.match(block.text)) or is_pair_row
        if last is None or self._is_new(last, block) or starts_pair:
            follows_heading = (
                last is not None and last.kind == "heading" and block.kind != "heading"
            )
            self._group += not follows_heading
            self._in_pair = starts_pair
        if self._in_pair:
            return self._group, "qa"
        if block.kind in ("table_row", "table_header"):
            return self._group, "table"
        return self._group, "code" if block.kind == "code" else "text"

    def _is_new(self, last: Block, block: Block) -> bool:
        if block.kind == "heading":
            # A heading right below a heading has no text of its own to stand with.
            return last.kind != "heading"
        if self._in_pair and last.kind != "table_row":
            return False
        if _is_tabular(block) != _is_tabular(last):
            return not _introduces(last, block)
        if block.table and last.table:
            return block.table.table != last.table.table
        return False


def _is_tabular(block: Block) -> bool:
    return block.kind in ("table_row", "table_header")


def _introduces(last: Block, block: Block) -> bool:
    """A caption, a heading, or a line such as `Prices are as follows:` stays with its table."""
    if not _is_tabular(block):
        return False
    return last.kind in ("caption", "heading") or last.text.endswith((":", "："))


def _is_qa_row(block: Block) -> bool:
    if block.kind != "table_row" or block.table is None:
        return False
    names = {name.strip().lower() for name in block.table.header}
    return len(names & _QA_COLUMNS) >= 2


def _parts(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """A stretch within the limit is left whole; a longer one is cut at commas or spaces."""
    while end - start > limit:
        at = max(text.rfind(mark, start + limit // 2, start + limit) for mark in _CUTS) + 1
        cut = at if at > start else start + limit
        yield _trimmed(text, start, cut)
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        yield _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start + 1 and text[end - 1].isspace():
        end -= 1
    return start, end


def _pack(pieces: list[_Piece], sizes: _Sizes) -> list[list[_Piece]]:
    chunks: list[list[_Piece]] = []
    for piece in pieces:
        if chunks and _joins(chunks[-1], piece, sizes):
            chunks[-1].append(piece)
        else:
            chunks.append([piece])
    return _merge_leftovers(chunks, sizes)


def _joins(chunk: list[_Piece], piece: _Piece, sizes: _Sizes) -> bool:
    if chunk[-1].group != piece.group:
        return False
    joined = piece.end - chunk[0].start
    if piece.kind == "qa" or chunk[-1].block.kind == "heading":
        return joined <= sizes.limit
    # A sentence is not parted from its block for the sake of a few characters.
    is_same_block = chunk[-1].block is piece.block
    return joined <= (sizes.target + sizes.small if is_same_block else sizes.target)


def _merge_leftovers(chunks: list[list[_Piece]], sizes: _Sizes) -> list[list[_Piece]]:
    """A tail too short to stand alone goes back to the chunk before, if that is its own group."""
    merged: list[list[_Piece]] = []
    for chunk in chunks:
        before = merged[-1] if merged else None
        length = chunk[-1].end - chunk[0].start
        if (
            before is not None
            and length < sizes.small
            and before[-1].group == chunk[0].group
            and chunk[-1].end - before[0].start <= sizes.limit
        ):
            before.extend(chunk)
        else:
            merged.append(chunk)
    return merged


class _Writer:
    def __init__(
        self, document: ParsedDocument, title: str, opening: int, flags: Sequence[Flag]
    ) -> None:
        self._document = document
        self._title = " ".join(title.split())[:_MAX_HEADER]
        spoken = readable(self._title)
        # Joined words of a file name are found by the words a person reads in them.
        self._spoken = spoken if spoken.lower() != self._title.lower() else ""
        self._opening = opening
        self._flags = sorted(flags, key=lambda flag: flag.end)
        self._ends = [flag.end for flag in self._flags]
        self._section: tuple[str, ...] | None = None
        self._first_words = ""

    def draft(self, ordinal: int, pieces: list[_Piece]) -> ChunkDraft:
        start, end = pieces[0].start, pieces[-1].end
        body = next((piece for piece in pieces if piece.block.kind != "heading"), pieces[-1])
        path = body.block.heading_path
        return ChunkDraft(
            ordinal=ordinal,
            text=self._document.text[start:end],
            page=pieces[0].block.page,
            start=start,
            end=end,
            heading_path=path,
            header=self._header(path, body, pieces),
            kind=_kind_of(pieces),
            flags=self._touching(start, end),
        )

    def _header(self, path: tuple[str, ...], body: _Piece, pieces: list[_Piece]) -> str:
        """Title, headings, table columns, and for later chunks how the section began."""
        opening = ""
        if self._section != path:
            self._section = path
            reach = min(body.end, body.start + self._opening)
            self._first_words = self._document.text[body.start : reach]
        elif pieces[0].block.kind != "heading":
            opening = " ".join(self._first_words.split())
        columns = next((piece.block.table.header for piece in pieces if piece.block.table), ())
        titles = [self._title, *(heading for heading in path if heading != self._title)]
        parts = [" > ".join(title for title in titles if title), " | ".join(filter(None, columns))]
        lines = [parts[0], self._spoken, *parts[1:], opening]
        return "\n".join(line for line in lines if line)[: 2 * _MAX_HEADER]

    def _touching(self, start: int, end: int) -> tuple[Flag, ...]:
        first = bisect_left(self._ends, start + 1)
        return tuple(flag for flag in self._flags[first:] if flag.start < end)


def _kind_of(pieces: list[_Piece]) -> ChunkKind:
    kinds = [piece.kind for piece in pieces if piece.block.kind not in ("heading", "caption")]
    return kinds[-1] if kinds else "text"
