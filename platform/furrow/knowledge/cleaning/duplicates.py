"""Paragraphs that repeat an earlier one of the same document."""

import zlib
from collections.abc import Container, Iterator

from furrow.knowledge.alike import is_alike
from furrow.knowledge.cleaning.flag import Flag
from furrow.knowledge.parsing.document import Block, ParsedDocument

_LEAST_LENGTH = 20
_SHINGLE = 6
_SAMPLE = 4
_MAX_POSTINGS = 24


def duplicates(document: ParsedDocument, known: Container[int] = ()) -> Iterator[Flag]:
    """`known` are the starts of blocks that are in doubt already."""
    exact: dict[str, Block] = {}
    postings: dict[int, list[int]] = {}
    kept: list[str] = []
    for block in document.blocks:
        if block.kind in ("running", "heading", "table_header", "caption"):
            continue
        if block.start in known:
            continue
        text = " ".join(block.text.split()).lower()
        if len(text) < _LEAST_LENGTH:
            continue
        if text in exact:
            yield Flag(block.start, block.end, "near_duplicate", _where(exact[text]))
            continue
        exact[text] = block
        # Rows of a price list are alike by nature; only equal ones repeat.
        if block.kind == "table_row":
            continue
        twin = _similar(text, kept, postings)
        if twin is not None:
            yield Flag(block.start, block.end, "near_duplicate", _where(exact[twin]))
        kept.append(text)


def _where(first: Block) -> str:
    place = f"page {first.page}" if first.page is not None else f"character {first.start}"
    return f"repeats the text at {place}"


def _similar(text: str, kept: list[str], postings: dict[int, list[int]]) -> str | None:
    """An earlier text that differs by a few letters, but in no number and no negation."""
    sketch = _sketch(text)
    shared: dict[int, int] = {}
    for key in sketch:
        for index in postings.get(key, ()):
            shared[index] = shared.get(index, 0) + 1
    for key in sketch:
        entries = postings.setdefault(key, [])
        if len(entries) < _MAX_POSTINGS:
            entries.append(len(kept))
    likely = sorted(shared, key=lambda index: -shared[index])[:4]
    for index in likely:
        other = kept[index]
        if is_alike(text, other):
            return other
    return None


def _sketch(text: str) -> set[int]:
    """A sample of the text's shingles, the same sample for equal pieces of any two texts."""
    hashes = (
        zlib.crc32(text[start : start + _SHINGLE].encode())
        for start in range(len(text) - _SHINGLE + 1)
    )
    return {value for value in hashes if value % _SAMPLE == 0}
