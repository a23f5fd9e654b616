"""Sums of money, percentages and spans of time, as written and as numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from apps.contracts.reading.numerals import BANK_CHARS, NUMBER_CHARS, money, whole

_SCALES = {"": 1, "十": 10, "百": 100, "千": 1_000, "万": 10_000, "百万": 1_000_000, "亿": 100_000_000,
           "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}  # fmt: skip
_DIGITS = re.compile(
    r"(?P<sign>人民币|RMB|CNY|USD|US\$|[¥￥$€£])?\s*[:：]?\s*(?<![\d.])(?P<n>\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?!\d|\.\d)\s*"
    r"(?P<scale>百万|万|亿|千|(?:thousand|million|billion)\b)?\s*"
    r"(?P<unit>元|圆|美元|欧元|港元|港币|块|dollars?\b|yuan\b|RMB\b)?(?!\s*[/／])",
    re.IGNORECASE,
)
_WORDS = re.compile(
    rf"(?:[{BANK_CHARS}]{{1,24}}\s*[元圆园][{BANK_CHARS}角分厘]{{0,12}}|[{BANK_CHARS}]{{1,8}}[角分])[整正]?"
)
_PERCENT = re.compile(
    rf"(?P<n>\d+(?:\.\d+)?)\s*(?P<mark>[%％‰])|(?P<base>百分|千分|万分)之(?P<han>[{NUMBER_CHARS}点]{{1,7}})"
)
_SPAN = re.compile(
    rf"(?P<n>\d+(?:\.\d+)?|[{NUMBER_CHARS}]{{1,6}}|半)\s*(?:[（(]\s*(?:\d+|[{NUMBER_CHARS}]{{1,4}})\s*[)）]\s*)?(?P<half>半)?\s*个?\s*"
    r"(?P<unit>年|周年|月|周|星期|(?:个)?(?:工作日|日历日|日|天)|小时)(?P<after>半)?(?!度|份|底|末|初|利率)"
)
_SPAN_EN = re.compile(
    r"(?:(?P<word>[a-z]+(?:-[a-z]+)?)\s*)?\(?(?P<n>\d{1,4})?\)?\s*(?P<unit>years?|months?|weeks?|(?:business |calendar )?days?)\b",
    re.IGNORECASE,
)
_UNIT_DAYS = {"年": 365, "周年": 365, "月": 30, "周": 7, "星期": 7}


@dataclass(frozen=True, slots=True)
class Amount:
    """`is_words`: written in bank characters."""

    start: int
    end: int
    value: Decimal
    is_words: bool
    has_unit: bool = True


@dataclass(frozen=True, slots=True)
class Percent:
    """`value` is a share of one hundred: 0.5‰ is 0.05."""

    start: int
    end: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time; `unit` is 年, 月, 周, 日 or 小时; `days` compares spans."""

    start: int
    end: int
    number: Decimal
    unit: str
    days: Decimal

    @property
    def months(self) -> Decimal | None:
        """None for days and weeks, which are no whole months."""
        return {"年": self.number * 12, "月": self.number}.get(self.unit)


def amounts(text: str, start: int = 0, end: int | None = None) -> list[Amount]:
    """Every sum with a currency, in order."""
    end = len(text) if end is None else end
    found = [*_amounts_in_digits(text, start, end), *_amounts_in_words(text, start, end)]
    return sorted(found, key=lambda amount: amount.start)


def percents(text: str, start: int = 0, end: int | None = None) -> list[Percent]:
    end = len(text) if end is None else end
    found = []
    for match in _PERCENT.finditer(text, start, end):
        value = _percent(match)
        if value is not None:
            found.append(Percent(match.start(), match.end(), value))
    return found


def spans(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Lengths of time in Chinese wording. Dates are left out."""
    end = len(text) if end is None else end
    found = []
    for match in _SPAN.finditer(text, start, end):
        if _is_in_date(text, match):
            continue
        number = _number(match["n"])
        if number is None:
            continue
        number += Decimal("0.5") if match["half"] or match["after"] else 0
        unit = match["unit"].removeprefix("个")
        unit = {"周年": "年", "星期": "周", "天": "日", "日历日": "日"}.get(unit, unit)
        days = number * _UNIT_DAYS.get(unit, 1) if unit != "小时" else number / 24
        found.append(Span(match.start(), match.end(), number, unit, days))
    return found


def number(text: str) -> Decimal | None:
    """A number of a table cell, with or without unit and thousands separators."""
    match = re.search(r"-?\d[\d,，]*(?:\.\d+)?", text)
    if match is None:
        return None
    try:
        return Decimal(re.sub("[,，]", "", match.group()))
    except InvalidOperation:
        return None


def _amounts_in_digits(text: str, start: int, end: int) -> Iterator[Amount]:
    for match in _DIGITS.finditer(text, start, end):
        if not (match["sign"] or match["unit"]):
            continue
        value = Decimal(re.sub("[,，]", "", match["n"]))
        scale = _SCALES[(match["scale"] or "").lower()]
        yield Amount(match.start(), _trimmed(text, match), value * scale, is_words=False)


def _amounts_in_words(text: str, start: int, end: int) -> Iterator[Amount]:
    for match in _WORDS.finditer(text, start, end):
        value = money(re.sub(r"\s", "", match.group()))
        if value is not None:
            yield Amount(match.start(), match.end(), value, is_words=True)


def _trimmed(text: str, match: re.Match[str]) -> int:
    return match.start() + len(text[match.start() : match.end()].rstrip())


def _percent(match: re.Match[str]) -> Decimal | None:
    if match["n"]:
        return Decimal(match["n"]) / (10 if match["mark"] == "‰" else 1)
    before, _, after = match["han"].partition("点")
    value = whole(before)
    if value is None:
        return None
    share = Decimal(value)
    if after:
        parts = [whole(char) for char in after]
        share += Decimal("0." + "".join(str(part or 0) for part in parts))
    return share / {"百分": 1, "千分": 10, "万分": 100}[match["base"]]


def _number(text: str) -> Decimal | None:
    if text == "半":
        return Decimal("0.5")
    if text[0].isdigit():
        return Decimal(text)
    value = whole(text)
    return None if value is None else Decimal(value)


def _is_in_date(text: str, match: re.Match[str]) -> bool:
    """`2025年`, `3月1日`, `二〇二五年`, `第三年`, `每月10日`, `次月5日`."""
    before = text[max(match.start() - 2, 0) : match.start()]
    unit, written = match["unit"], match["n"]
    if unit == "年" and ((written.isdigit() and len(written) == 4) or len(written) >= 4):
        return True
    if before[-1:] in "第年" and before:
        return True
    if unit == "月" and "个" not in match.group():
        follows = re.match(
            r"\s*(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s*[日号]", text[match.end() :]
        )
        return bool(follows) or before[-1:] in "年每"
    return unit == "日" and before[-1:] in "月"
