"""Folding: one spelling for characters that a reader takes for the same.

Full and half width, upper and lower case, traditional and simplified Chinese, Latin accents, dashes
and quotes fold together. Each character folds on its own, so that a place in the folded text leads
back to a place in the original.
"""

import bisect
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate

_DASHES = "‐‑‒–—―−﹘﹣－⁃"
_SINGLE_QUOTES = "‘’‚‛′＇´"
_DOUBLE_QUOTES = "“”„‟″＂"
# Invisible marks that copying from web pages and PDFs leaves inside words.
_DROPPED = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_COMBINING = range(0x0300, 0x0370)
# Everyday variants that the traditional-to-simplified table leaves alone.
_VARIANTS = {
    "牠": "它",
    "妳": "你",
    "祂": "他",
    "歳": "岁",
    "姉": "姐",
    "〇": "零",
    "両": "两",
    "⁄": "/",
}


@dataclass(frozen=True)
class Folded:
    """A folded text that remembers where each of its characters came from."""

    text: str
    starts: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of the folded span; empty spans stay empty."""
        if self.starts is None:
            return start, end
        if start >= end:
            at = bisect.bisect_right(self.starts, start) - 1
            return at, at
        first = bisect.bisect_right(self.starts, start) - 1
        last = bisect.bisect_right(self.starts, end - 1) - 1
        return first, last + 1


def fold(text: str) -> str:
    """The folded text; as long as the original but for rare characters (ligatures, marks)."""
    if text.isascii():
        return text.lower()
    return text.translate(_table())


def fold_with_offsets(text: str) -> Folded:
    """Fold and keep the way back, for highlighting a match in the original."""
    folded = fold(text)
    if text.isascii():
        return Folded(folded, None)
    table = _table()
    lengths = [len(table[ord(char)]) for char in text]
    if all(length == 1 for length in lengths):
        return Folded(folded, None)
    return Folded(folded, tuple(accumulate(lengths, initial=0))[:-1])


class _FoldTable(dict[int, str]):
    """Filled as characters turn up; filling twice from two threads writes the same value."""

    def __init__(self, simplified: dict[str, str]) -> None:
        super().__init__()
        self._simplified = simplified
        for group, target in ((_DASHES, "-"), (_SINGLE_QUOTES, "'"), (_DOUBLE_QUOTES, '"')):
            self.update((ord(char), target) for char in group)
        self.update((ord(char), "") for char in _DROPPED)

    def __missing__(self, code: int) -> str:
        folded = "".join(self._fold_one(char) for char in unicodedata.normalize("NFKC", chr(code)))
        self[code] = folded
        return folded

    def _fold_one(self, char: str) -> str:
        if ord(char) in _COMBINING:
            return ""
        char = self._simplified.get(char, char)
        char = _VARIANTS.get(char, char).lower()
        base = unicodedata.normalize("NFKD", char)
        # Kana and Hangul also decompose; only marks of the Latin, Greek and Cyrillic kind may go.
        return "".join(c for c in base if ord(c) not in _COMBINING) if _has_accent(base) else char


def _has_accent(decomposed: str) -> bool:
    return any(ord(char) in _COMBINING for char in decomposed[1:])


@cache
def _table() -> _FoldTable:
    source = resources.files("opencc") / "dictionary" / "TSCharacters.txt"
    pairs = (line.split() for line in source.read_text("utf-8").splitlines() if line)
    # The first simplified form is the usual one; a phrase table would break the offsets.
    return _FoldTable({pair[0]: pair[1] for pair in pairs if len(pair) > 1})
