"""The numbers that clauses begin with, in Chinese and in English."""

import re
from dataclasses import dataclass

from apps.contracts.reading.numerals import whole

_HAN = "一二三四五六七八九十百零〇两"
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


@dataclass(frozen=True, slots=True)
class Label:
    """`key` is the number as steps: (3,) for 第三条, (3, 2) for 3.2. `kind` names the manner of counting."""

    kind: str
    text: str
    key: tuple[int, ...]
    end: int


# In the order they are tried. A group named `n` holds the number.
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("annex", re.compile(rf"附\s*(?:件|录|表)\s*(?P<n>[{_HAN}]+|\d{{1,2}})?(?=[：:、．.\s（(《]|$)")),
    ("annex", re.compile(r"(?:EXHIBIT|Exhibit|SCHEDULE|Schedule|ANNEX|Annex|APPENDIX|Appendix)\s+(?P<n>[A-Z]|\d{1,2}|[IVX]{1,4})\b")),
    ("part", re.compile(rf"第\s*(?P<n>[{_HAN}]+|\d{{1,3}})\s*(?:编|部分)")),
    ("chapter", re.compile(rf"第\s*(?P<n>[{_HAN}]+|\d{{1,3}})\s*章")),
    ("division", re.compile(rf"第\s*(?P<n>[{_HAN}]+|\d{{1,3}})\s*节")),
    ("article", re.compile(rf"第\s*(?P<n>[{_HAN}]+|\d{{1,3}})\s*条")),
    ("article", re.compile(r"(?:ARTICLE|Article)\s+(?P<n>\d{1,3}|[IVXLC]{1,7})\b[.:]?")),
    ("section", re.compile(r"(?:SECTION|Section|§)\s*(?P<n>\d{1,3}(?:\.\d{1,3}){0,3})\b[.:]?")),
    ("han", re.compile(rf"(?P<n>[{_HAN}]{{1,4}})\s*[、．.]")),
    ("han_bracket", re.compile(rf"[（(]\s*(?P<n>[{_HAN}]{{1,4}})\s*[）)]")),
    ("dotted", re.compile(r"(?P<n>\d{1,3}(?:[.．]\d{1,3}){1,3})(?:[.．、]|(?=[\s\u3400-\u9fff（(“\"A-Z]))")),
    ("digit_bracket", re.compile(r"[（(]\s*(?P<n>\d{1,3})\s*[）)]")),
    ("digit_closed", re.compile(r"(?P<n>\d{1,3})\s*[)）]")),
    ("digit", re.compile(r"(?P<n>\d{1,3})\s*[.．、](?!\d)")),
    ("circled", re.compile(r"(?P<n>[①-⑳])")),
    ("roman_bracket", re.compile(r"\((?P<n>(?:ix|iv|v?i{1,3}|v|x{1,2}(?:ix|iv|v?i{0,3})?))\)")),
    ("letter_bracket", re.compile(r"\((?P<n>[a-zA-Z])\)")),
)  # fmt: skip


def label_at(line: str) -> Label | None:
    """The number a line begins with."""
    offset = len(line) - len(line.lstrip(" \t\u3000"))
    for kind, pattern in _PATTERNS:
        match = pattern.match(line, offset)
        if match:
            key = key_of(match["n"] or "")
            depth = f"{kind}{len(key)}" if kind in ("dotted", "section") else kind
            return Label(depth, match.group().strip(), key, match.end())
    return None


def key_of(number: str) -> tuple[int, ...]:
    """(0,) for an annex without a number."""
    if not number:
        return (0,)
    if number[0].isdigit():
        return tuple(int(step) for step in re.split(r"[.．]", number))
    if "①" <= number <= "⑳":
        return (ord(number) - ord("①") + 1,)
    if number.isascii():
        return (_latin(number),)
    return (whole(number) or 0,)


def _latin(number: str) -> int:
    lower = number.lower()
    if all(char in _ROMAN for char in lower) and (len(lower) > 1 or lower in "ivx"):
        values = [_ROMAN[char] for char in lower]
        return sum(
            -value if values[place + 1 : place + 2] > [value] else value
            for place, value in enumerate(values)
        )
    return ord(lower[0]) - ord("a") + 1
