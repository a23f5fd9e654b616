"""Chinese numbers, in plain and in bank characters, as numbers."""

from decimal import Decimal

_DIGITS = {
    **{char: value for value, char in enumerate("零一二三四五六七八九")},
    **{char: value for value, char in enumerate("零壹贰叁肆伍陆柒捌玖")},
    "〇": 0,
    "○": 0,
    "两": 2,
    "俩": 2,
    "貳": 2,
    "叄": 3,
    "參": 3,
    "陸": 6,
    "弍": 2,
    "弎": 3,
}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_GROUPS = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
_PARTS = {"角": Decimal("0.1"), "分": Decimal("0.01"), "厘": Decimal("0.001")}
NUMBER_CHARS = "".join(sorted(set(_DIGITS) | set(_UNITS) | set(_GROUPS)))
BANK_CHARS = "零壹贰叁肆伍陆柒捌玖拾佰仟万亿萬億貳叄參陸〇"


def whole(text: str) -> int | None:
    """`十二`, `一百零五`, `壹拾贰万`, `二〇二五` or digits; None when it is no number."""
    text = text.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    if all(char in _DIGITS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text))
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _UNITS:
            section += (digit or 1) * _UNITS[char]
            digit = 0
        elif char in _GROUPS:
            total = _grouped(total, section + digit, _GROUPS[char])
            section = digit = 0
        else:
            return None
    return total + section + digit


def money(text: str) -> Decimal | None:
    """An amount in bank characters: `壹万贰仟叁佰元伍角整`."""
    for mark in "整正圆園 　":
        text = text.replace(mark, "元" if mark in "圆園" else "")
    yuan, has_yuan, rest = text.partition("元")
    if not has_yuan:
        split = next((place for place, char in enumerate(text) if char in _PARTS), None)
        if split is not None:
            yuan, rest = "", text
    total = Decimal(0)
    if yuan:
        number = whole(yuan)
        if number is None:
            return None
        total = Decimal(number)
    small = _small(rest)
    return None if small is None else total + small


def _small(text: str) -> Decimal | None:
    total, digit = Decimal(0), 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _PARTS:
            total += digit * _PARTS[char]
            digit = 0
        else:
            return None
    return total


def _grouped(total: int, section: int, group: int) -> int:
    """`一亿二千万`: what went before a larger group belongs to it."""
    if group == _GROUPS["亿"]:
        return (total + section or 1) * group
    return total + (section or 1) * group
