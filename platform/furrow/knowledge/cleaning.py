"""Marks what should not be quoted or indexed as knowledge. Nothing is ever removed.

Flags carry a reason that the owner can read; whether a flagged part is searched is for others to
decide.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from furrow.knowledge.parsing.document import Block, ParsedDocument

FlagCode = Literal["running", "boilerplate", "garble", "near_duplicate"]


@dataclass(frozen=True, slots=True)
class Flag:
    """A part of the text, by code point offsets, and why it is in doubt."""

    start: int
    end: int
    code: FlagCode
    reason: str


_BOILERPLATE = (
    (re.compile(r"^(?:©|\(c\)|copyright\b|版权所有|all rights reserved)", re.IGNORECASE), "copyright line"),
    (re.compile(r"^(?:京|沪|粤|浙|苏|赣|鲁|川|闽|湘|鄂|豫|冀|皖|渝|津)?ICP[备证].{0,30}$"), "site licence number"),
    (re.compile(r"^(?:[-–—]\s*)?(?:第\s*\d+\s*页|page\s+\d+|\d+\s*/\s*\d+)(?:.{0,3}共\s*\d+\s*页| of \d+)?(?:\s*[-–—])?$",
                re.IGNORECASE), "page number"),
    (re.compile(r"(?:…|\.{6,}|·{6,})\s*\d{1,4}$"), "line of a table of contents"),
    (re.compile(r"^(?:返回顶部|上一篇|下一篇|上一页|下一页|分享到|点击展开|阅读更多|back to top|read more|"
                r"share this|skip to (?:main )?content|click here|next page|previous page)\W*$",
                re.IGNORECASE), "page control"),
    (re.compile(r"^(?:此页面?无正文|以下无正文|this page (?:is )?intentionally left blank)\W*$", re.IGNORECASE),
     "blank page note"),
)  # fmt: skip
_STRANGE = re.compile("[\ufffd\ue000-\uf8ff\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_CLASSIC = re.compile(r"锟斤拷|烫烫烫|屯屯屯|(?:ï»¿)|(?:â€[™œ“”¦˜])|(?:Ã[\x80-\xbf©¨¤¶¼±§]){2}")
_HAN_RUN = re.compile(r"[\u3400-\u9fff\uff00-\uffef€]{4,400}")
_LATIN_RUN = re.compile(r"[\u0080-\u024f\u2010-\u2122]{2,400}")
_STRANGE_SHARE = 0.05
_MOJIBAKE_SHARE = 0.3

_LEAST_LENGTH = 20
_SHINGLE = 6
_SAMPLE = 4
_MAX_POSTINGS = 24
_SAME = 95.0
_TELLING = re.compile(
    r"\d+(?:\.\d+)?|[零一二三四五六七八九十百千万两半]|[不无未非勿禁]|\b(?:not?|never|without|except)\b|n't\b",
    re.IGNORECASE,
)


def clean_document(document: ParsedDocument) -> list[Flag]:
    """All flags in the order of the text; a part may carry several."""
    flags = [
        *_running(document),
        *(flag for block in document.blocks for flag in _boilerplate(block)),
        *(flag for block in document.blocks for flag in _garble(block)),
        *_duplicates(document),
    ]
    return sorted(flags, key=lambda flag: (flag.start, flag.end, flag.code))


def _running(document: ParsedDocument) -> Iterator[Flag]:
    for block in document.blocks:
        if block.kind == "running":
            yield Flag(block.start, block.end, "running", "page header or footer")


def _boilerplate(block: Block) -> Iterator[Flag]:
    if block.kind in ("running", "table_row", "table_header", "code") or len(block.text) > 200:
        return
    for pattern, reason in _BOILERPLATE:
        if pattern.search(block.text):
            yield Flag(block.start, block.end, "boilerplate", reason)
            return


def _garble(block: Block) -> Iterator[Flag]:
    text = block.text
    strange = len(_STRANGE.findall(text))
    if strange > 2 + _STRANGE_SHARE * len(text) or strange > 0.5 * len(text):
        yield Flag(block.start, block.end, "garble", f"{strange} unreadable characters")
        return
    if match := _CLASSIC.search(text):
        yield Flag(
            block.start + match.start(), block.end, "garble", "text read in a wrong encoding"
        )
        return
    wrong = sum(len(run) for run in _misread_runs(text))
    if wrong > _MOJIBAKE_SHARE * len(text):
        yield Flag(block.start, block.end, "garble", "text read in a wrong encoding")


def _misread_runs(text: str) -> Iterator[str]:
    """Runs whose bytes turn out to be UTF-8: real Chinese or accented text never does by chance."""
    for pattern, encoding in ((_HAN_RUN, "gb18030"), (_LATIN_RUN, "cp1252")):
        for match in pattern.finditer(text):
            run = match.group()
            if _is_utf8_inside(run, encoding):
                yield run


def _is_utf8_inside(run: str, encoding: str) -> bool:
    try:
        data = run.encode(encoding)
    except UnicodeEncodeError:
        return False
    # A run may begin or end within a character: its first and last bytes are let go.
    for cut in range(4):
        try:
            decoded = data[: len(data) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return len(decoded) < len(run) and any(char > "\x7f" for char in decoded)
    return False


def _duplicates(document: ParsedDocument) -> Iterator[Flag]:
    exact: dict[str, Block] = {}
    postings: dict[int, list[int]] = {}
    kept: list[str] = []
    for block in document.blocks:
        if block.kind in ("running", "heading", "table_header", "caption"):
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
        is_alike = fuzz.ratio(text, other, score_cutoff=_SAME) > 0
        if is_alike and _TELLING.findall(text) == _TELLING.findall(other):
            return other
    return None


def _sketch(text: str) -> set[int]:
    """A sample of the text's shingles, the same sample for equal pieces of any two texts."""
    hashes = (
        zlib.crc32(text[start : start + _SHINGLE].encode())
        for start in range(len(text) - _SHINGLE + 1)
    )
    return {value for value in hashes if value % _SAMPLE == 0}
