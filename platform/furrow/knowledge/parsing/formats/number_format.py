"""Shows spreadsheet values the way their cell format does."""

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.')
_BRACKET = re.compile(r"\[(?:\$([^\]-]*)[^\]]*|[^\]]*)\]")
_DIGITS = re.compile(r"[#0?][#0?,]*(?:\.[0#?]+)?")
_DATE_TOKEN = re.compile(
    r'"[^"]*"|\\.|\[\$[^\]]*\]|\[[^\]]*\]|AM/PM|A/P|上午/下午|y+|m+|d+|h+|s+|a{3,4}|.',
    re.IGNORECASE,
)
_WEEKDAYS = "一二三四五六日"


def show_value(value: object, number_format: str) -> str:
    """Empty for None; text as it is; numbers and dates by the common parts of Excel's formats."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime | date | time):
        return _show_date(value, number_format)
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, int | float):
        return _show_number(value, number_format)
    return str(value)


def _show_number(value: float, number_format: str) -> str:
    sections = (number_format or "General").split(";")
    section = sections[0]
    if value < 0 and len(sections) > 1 and sections[1]:
        section, value = sections[1], -value
    if section in ("General", "@") or section.lower().startswith("general"):
        return _plain(value)
    shown = _BRACKET.sub(lambda match: match.group(1) or "", section)
    # Quoted words must not be taken for digits: hidden behind private characters meanwhile.
    literals: list[str] = []
    shown = _LITERAL.sub(lambda match: _hide(match, literals), shown)
    digits = _DIGITS.search(shown)
    if not digits or "E+" in shown or "/" in shown:
        return _plain(value)
    number = _digits(value, digits.group(), shown.count("%"))
    shown = shown[: digits.start()] + number + _DIGITS.sub("", shown[digits.end() :])
    for index, literal in enumerate(literals):
        shown = shown.replace(chr(0xE000 + index), literal)
    return shown.strip()


def _hide(match: re.Match[str], literals: list[str]) -> str:
    text = match.group(1) if match.group(1) is not None else match.group(2)
    if not text:
        return ""
    literals.append(text)
    return chr(0xE000 + len(literals) - 1)


def _digits(value: float, pattern: str, percents: int) -> str:
    whole, _, fraction = pattern.partition(".")
    grouped = "," if "," in whole.rstrip(",") else ""
    scaled = value * 100**percents / 1000 ** (len(whole) - len(whole.rstrip(",")))
    # Half up as Excel does, on the shortest decimal form, so 0.125 and 2.675 come out right.
    shown = f"{_round_half_up(scaled, len(fraction)):{grouped}.{len(fraction)}f}"
    optional = len(fraction) - len(fraction.rstrip("#?"))
    while optional and shown.endswith("0"):
        shown, optional = shown[:-1], optional - 1
    shown = shown.rstrip(".")
    least = whole.replace(",", "").count("0")
    head, dot, tail = shown.partition(".")
    return head.zfill(least + head.startswith("-")) + dot + tail


def _round_half_up(value: float, places: int) -> float:

    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def _plain(value: float) -> str:
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e15):
        return str(int(value))
    return f"{value:.11g}"


def _show_date(value: datetime | date | time, number_format: str) -> str:
    tokens = _DATE_TOKEN.findall((number_format or "").split(";")[0])
    names = [token.lower() for token in tokens]
    if not any(name[0] in "ymdhs" for name in names if name.isalpha()):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    has_noon = any(name in ("am/pm", "a/p", "上午/下午") for name in names)
    parts: list[str] = []
    previous = ""
    for index, name in enumerate(names):
        if name.isalpha() and name[0] in "ymdhsa" or name in ("am/pm", "a/p", "上午/下午"):
            is_minute = name[0] == "m" and (previous == "h" or _next_unit(names, index) == "s")
            parts.append(_date_part(value, name, is_minute=is_minute, has_noon=has_noon))
            previous = name[0]
        else:
            parts.append(_date_literal(tokens[index]))
    return "".join(parts).strip()


def _next_unit(names: list[str], index: int) -> str:
    return next((name[0] for name in names[index + 1 :] if name.isalpha()), "")


def _date_literal(part: str) -> str:
    if part.startswith("[") or part in ("_", "*", "@"):
        return ""
    if part.startswith('"'):
        return part[1:-1]
    return part[1:] if part.startswith("\\") else part


def _date_part(value: datetime | date | time, name: str, *, is_minute: bool, has_noon: bool) -> str:
    unit, width = name[0], len(name)
    if unit == "a":
        return _noon_or_weekday(value, name)
    if unit == "m" and not is_minute:
        month = getattr(value, "month", 0)
        if width >= 3 and isinstance(value, date):
            return value.strftime("%b" if width == 3 else "%B")
        return f"{month:0{min(width, 2)}d}"
    if unit == "d" and width >= 3 and isinstance(value, date):
        return value.strftime("%a" if width == 3 else "%A")
    if unit == "y":
        year = getattr(value, "year", 0)
        return f"{year % 100:02d}" if width <= 2 else f"{year:04d}"
    attribute = {"m": "minute", "d": "day", "h": "hour", "s": "second"}[unit]
    amount = getattr(value, attribute, 0)
    if unit == "h" and has_noon:
        amount = amount % 12 or 12
    return f"{amount:0{min(width, 2)}d}"


def _noon_or_weekday(value: datetime | date | time, name: str) -> str:
    if "/" in name:
        return "AM" if getattr(value, "hour", 0) < 12 else "PM"
    if isinstance(value, date):
        day = _WEEKDAYS[value.weekday()]
        return f"星期{day}" if len(name) == 4 else day
    return ""
