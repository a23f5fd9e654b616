"""A text as a list of tokens in which different spellings of the same thing are equal.

Full and half width, traditional and simplified, upper and lower case fold together (`knowledge.text`); numbers,
units, money, dates and times get one spelling; punctuation falls away. What is compared token by token cannot
find the 12 of a fact in the 120 of an answer.
"""

import re
from decimal import Decimal
from functools import lru_cache

from furrow.assistants.figures import UNIT_OF
from furrow.knowledge.text.folding import fold

Tokens = tuple[str, ...]

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
_ENGLISH = {
    name: value
    for value, name in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sep sept|"
        "october oct|november nov|december dec".split("|"),
        start=1,
    )
    for name in names.split()
}
# `figures` counts 折 as a percentage, which is right for telling questions apart and wrong for a fact.
_UNITS = {unit: name for unit, name in UNIT_OF.items() if unit != "折"}
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_HAN_NUMBER = "[零一二两三四五六七八九十百千万亿]"
# A lone numeral is a number only where something is counted: the 一 of 一下 and 统一 is none.
_COUNTED = rf"(?=\s*(?:{_UNIT}|[张次名倍条章款项点号月岁楼层台辆本期]|折))"
_HAN = re.compile(
    rf"{_HAN_NUMBER}{{2,}}|(?<=第)[一二两三四五六七八九十]|[一二两三四五六七八九十]{_COUNTED}"
)
_LARGE_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([万亿千百])(?!\w*[a-z])")
_PERCENT_OF = re.compile(r"百分之([零一二三四五六七八九十百点\d.]+)")
_ENGLISH_NUMBER = re.compile(rf"\b(?:{'|'.join(_ENGLISH)})\b")
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:,\d{3})+(?!\d)")
_MONEY_BEFORE = re.compile(r"(?:¥|￥|rmb|cny)\s*(\d+(?:\.\d+)?)")
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATES = [
    re.compile(
        r"(?<!\d)(?P<year>\d{4})\s*[年/.-]\s*(?P<month>\d{1,2})\s*[月/.-]\s*(?P<day>\d{1,2})[日号]?(?!\d)"
    ),
    re.compile(r"(?<!\d)(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号]?"),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<name>{_MONTH})\b\.?(?:,?\s+(?P<year>\d{{4}})\b)?"
    ),
    re.compile(
        rf"\b(?P<name>{_MONTH})\b\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year>\d{{4}})\b)?"
    ),
]
_HALF_DAY = r"上午|早上|早晨|凌晨|中午|下午|傍晚|晚上|晚"
_TIMES = [
    re.compile(
        rf"(?P<half>{_HALF_DAY})?\s*(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})\s*(?P<meridiem>[ap]\.?m\b\.?)?"
    ),
    re.compile(
        rf"(?P<half>{_HALF_DAY})?\s*(?<!\d)(?P<hour>\d{{1,2}})点(?:(?P<minute>\d{{1,2}})分?|(?P<thirty>半))?钟?"
    ),
    re.compile(r"\b(?P<hour>\d{1,2})\s*(?P<meridiem>[ap]\.?m\b\.?)"),
]
_MEASURED = re.compile(rf"(\d+(?:\.\d+)?)\s*(?:个(?=小时|月|星期|半))?({_UNIT})(?![a-z])")
_CODE = re.compile(
    r"(?<![a-z0-9])(?=[a-z0-9/_-]*[a-z])(?=[a-z0-9/_-]*\d)[a-z0-9]+(?:[-_/][a-z0-9]+)*(?![a-z0-9])"
)
_BETWEEN = re.compile(r"(?<=\d)\s*(?:[-~～至到]|\bto\b)\s*(?=\d)")
_TOKEN = re.compile(r"⟨[^⟩]*⟩|\d+(?:\.\d+)?|[a-z]+(?:'[a-z]+)?|[^\W\d_a-z]")


@lru_cache(maxsize=4096)
def tokens_of(text: str) -> Tokens:
    """Numbers as `12.5`, their units as `kg`, dates as `d:1.5`, times as `t:16:00`, codes without separators,
    words as they are, other scripts one character each.
    """
    folded = fold(text).replace("⟨", " ").replace("⟩", " ")
    folded = _PERCENT_OF.sub(lambda found: f"{_han_value(found[1])}%", folded)
    folded = _HAN.sub(lambda found: _han_value(found[0]), folded)
    folded = _ENGLISH_NUMBER.sub(lambda found: str(_ENGLISH[found[0]]), folded)
    folded = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), folded)
    folded = _LARGE_NUMBER.sub(_multiplied, folded)
    folded = _MONEY_BEFORE.sub(lambda found: f"{found[1]}元", folded)
    for pattern in _DATES:
        folded = pattern.sub(_date, folded)
    for pattern in _TIMES:
        folded = pattern.sub(_time, folded)
    folded = _MEASURED.sub(lambda found: f" {found[1]} ⟨{_UNITS[found[2]]}⟩ ", folded)
    folded = _CODE.sub(lambda found: f" ⟨{re.sub(r'[-_/]', '', found[0])}⟩ ", folded)
    folded = _BETWEEN.sub(" ", folded)
    return tuple(_token(piece) for piece in _TOKEN.findall(folded))


def holds(tokens: Tokens, wanted: Tokens) -> bool:
    """Whether `wanted` stands in `tokens`, in one piece."""
    count = len(wanted)
    if not count:
        return False
    first = wanted[0]
    return any(
        tokens[at : at + count] == wanted
        for at in range(len(tokens) - count + 1)
        if tokens[at] == first
    )


def _token(piece: str) -> str:
    if piece[0] == "⟨":
        return piece[1:-1]
    return _plain(Decimal(piece)) if piece[0].isdigit() else piece


def _plain(number: Decimal) -> str:
    """`69.90` is `69.9`, `0012` is `12`; never an exponent."""
    return format(number.normalize(), "f") if number else "0"


def _multiplied(found: re.Match[str]) -> str:
    return _plain(Decimal(found[1]) * (_LARGE | _TENS)[found[2]])


def _han_value(text: str) -> str:
    """`三百二十` is `320`, `二零二六` is `2026`, `三点五` is `3.5`."""
    whole, _, decimals = text.partition("点")
    if text[0].isdigit():
        return text
    if not any(char in _TENS or char in _LARGE for char in whole):
        value = "".join(str(_DIGITS[char]) for char in whole)
        return f"{value}.{_han_value(decimals)}" if decimals else value
    total = section = digit = 0
    for char in whole:
        if char in _LARGE:
            total = (total + section + digit) * _LARGE[char]
            section = digit = 0
        elif char in _TENS:
            section += (digit or 1) * _TENS[char]
            digit = 0
        else:
            digit = _DIGITS[char]
    value = str(total + section + digit)
    return f"{value}.{_han_value(decimals)}" if decimals else value


def _date(found: re.Match[str]) -> str:
    parts = found.groupdict()
    month = _MONTHS[parts["name"]] if parts.get("name") else int(parts["month"])
    day = int(parts["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found[0]
    year = f"⟨y:{parts['year']}⟩ " if parts.get("year") else ""
    return f" {year}⟨d:{month}.{day}⟩ "


def _time(found: re.Match[str]) -> str:
    parts = found.groupdict()
    hour = int(parts["hour"])
    minute = 30 if parts.get("thirty") else int(parts.get("minute") or 0)
    if hour > 24 or minute > 59:
        return found[0]
    late = (parts.get("half") or "") in {"下午", "傍晚", "晚上", "晚"}
    late = late or (parts.get("meridiem") or "").startswith("p")
    if late and hour < 12:
        hour += 12
    return f" ⟨t:{hour}:{minute:02}⟩ "
