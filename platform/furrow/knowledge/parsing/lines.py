"""Puts lines together again that only the width of a page had parted."""

import re

from furrow.knowledge.sentences import is_cjk

LIST_ITEM = re.compile(
    r"(?:[-*•·●○■□▪◆➢✓–—]\s*(?=\S)|[(（]\d{1,3}[)）]|\d{1,3}[)）、](?!\d)|\d{1,3}[.．](?=\s|[^\d\s])|"
    r"[a-zA-Z][)）]\s|[①-⑳])"
)
_LABEL = re.compile(r"(?:问|答|[QqAa]|Question|Answer)\s*\d{0,3}\s*[:：]")
_ENDS = "。！？!?.:：;；”\"'）)…」』"
_WIDE_PUNCTUATION = "，。、；：！？（）《》“”【】「」"


def join_lines(first: str, second: str) -> str:
    """One text of two lines: no space between Han characters, a broken word made whole."""
    if not first or not second:
        return first + second
    if first[-1] in "\u00ad\ufffe\x02":
        return first[:-1] + second
    if first[-1] == "-" and len(first) > 1 and first[-2].isalpha() and second[0].islower():
        return first[:-1] + second
    # Between Latin and Han the space is a matter of taste, so none is invented there either.
    if _is_wide(first[-1]) or _is_wide(second[0]):
        return first + second
    return f"{first} {second}"


def starts_block(line: str) -> bool:
    """List items and question or answer labels never continue the line above."""
    return bool(LIST_ITEM.match(line) or _LABEL.match(line))


def ends_sentence(line: str) -> bool:
    """Whether the line closes with a mark after which a paragraph may end."""
    return bool(line) and line[-1] in _ENDS


def _is_wide(char: str) -> bool:
    return is_cjk(char) or char in _WIDE_PUNCTUATION
