"""Calendar dates in Chinese and in English."""

import re
from dataclasses import dataclass
from datetime import date

from apps.contracts.reading.numerals import whole

_HAN = "零〇○一二三四五六七八九十"
_CHINESE = re.compile(
    rf"(?P<y>\d{{4}}|[{_HAN}]{{4}})\s*年\s*(?P<m>\d{{1,2}}|[{_HAN}]{{1,3}})\s*月\s*(?P<d>\d{{1,2}}|[{_HAN}]{{1,3}})\s*[日号]"
)
_ISO = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)\s*(?P<s>[-/.])\s*(?P<m>\d{1,2})\s*(?P=s)\s*(?P<d>\d{1,2})(?![\d.])"
)
_MONTHS = (
    "january february march april may june july august september october november december"
).split()
_MONTH = r"(?P<m>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
_ENGLISH = (
    re.compile(rf"\b{_MONTH}\s*(?P<d>\d{{1,2}})\s*(?:st|nd|rd|th)?\s*,?\s*(?:of\s+)?(?P<y>(?:19|20)\d\d)\b", re.IGNORECASE),
    re.compile(rf"\b(?P<d>\d{{1,2}})\s*(?:st|nd|rd|th)?[\s-]*(?:day\s+)?(?:of\s+)?{_MONTH}[\s,-]*(?:in the year\s+)?(?P<y>(?:19|20)\d\d)\b", re.IGNORECASE),
    re.compile(r"(?<![\d/])(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>(?:19|20)?\d\d)(?![\d/])"),
)  # fmt: skip
# 二〇二五年二月三十日 is a date that does not exist: worth a finding, so it is kept with `value` None.


@dataclass(frozen=True, slots=True)
class DateFound:
    """`value` is None when the calendar has no such day."""

    start: int
    end: int
    value: date | None


def dates(text: str, start: int = 0, end: int | None = None) -> list[DateFound]:
    """Every full date, in order."""
    end = len(text) if end is None else end
    found: dict[int, DateFound] = {}
    for pattern in (_CHINESE, _ISO, *_ENGLISH):
        for match in pattern.finditer(text, start, end):
            found.setdefault(match.start(), DateFound(match.start(), match.end(), _value(match)))
    return [found[place] for place in sorted(found)]


def _value(match: re.Match[str]) -> date | None:
    year, month, day = _number(match["y"]), _month(match["m"]), _number(match["d"])
    if year is not None and year < 100:
        year += 2000 if year < 50 else 1900
    try:
        return date(year or 0, month or 0, day or 0)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    return whole(text.replace("○", "〇"))


def _month(text: str) -> int | None:
    if text[0].isascii() and text[0].isalpha():
        return next(n for n, name in enumerate(_MONTHS, 1) if name.startswith(text.lower()[:3]))
    return _number(text)
