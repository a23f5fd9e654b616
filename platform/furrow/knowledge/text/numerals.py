"""Chinese numerals in ordinals: `第十七条` and `第17条` are the same place."""

import re

_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_ORDINAL = re.compile(r"第([零一二两三四五六七八九十百千]{1,9}|\d{1,5})([条章节款项编届次页号])")


def ordinal_terms(folded: str) -> list[str]:
    """`第17条` for each ordinal of a folded text, however its number is written."""
    if "第" not in folded:
        return []
    return [f"第{_value(number)}{noun}" for number, noun in _ORDINAL.findall(folded)]


def _value(number: str) -> int:
    if number.isdigit():
        return int(number)
    if not any(char in _UNITS for char in number):
        return int("".join(str(_DIGITS[char]) for char in number))
    total, digit = 0, 0
    for char in number:
        if char in _UNITS:
            total += (digit or 1) * _UNITS[char]
            digit = 0
        else:
            digit = _DIGITS[char]
    return total + digit
