"""Figures of one unit in a stretch of a contract, in Chinese and English wording."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from apps.contracts.reading import Contract

_ENGLISH = re.compile(
    r"(?:\b[a-z]+(?:-[a-z]+)?\s*\(\s*)?\b(?P<n>\d{1,4})\s*\)?\s*(?P<unit>(?:business |calendar |working )?days?|weeks?|months?|years?)\b",
    re.IGNORECASE,
)
_DAYS_EN = {"day": 1, "week": 7, "month": 30, "year": 365}
_MONTHS_EN = {"month": 1, "year": 12}
UNITS = ("percent", "money", "days", "months")


@dataclass(frozen=True, slots=True)
class Figure:
    """`suffix` is how its unit is written; `scale` is how many of the unit that asks make one of it."""

    start: int
    end: int
    value: Decimal
    suffix: str
    scale: Decimal = Decimal(1)
    prefix: str = ""

    def written_as(self, value: Decimal) -> str:
        number = value / self.scale
        if number != number.to_integral_value():
            number = number.quantize(Decimal("0.01"))
        return f"{self.prefix}{number.normalize():f}{self.suffix}"


def figures(contract: Contract, unit: str, start: int, end: int) -> list[Figure]:
    found = _READERS[unit](contract, start, end) if unit in _READERS else []
    return sorted(found, key=lambda figure: figure.start)


def _percents(contract: Contract, start: int, end: int) -> list[Figure]:
    return [
        Figure(p.start, p.end, p.value, "%") for p in contract.percents if start <= p.start < end
    ]


def _money(contract: Contract, start: int, end: int) -> list[Figure]:
    found = []
    for amount in contract.amounts:
        if start <= amount.start < end and not amount.is_words:
            written = contract.text[amount.start : amount.end]
            currency = re.match(r"\D*", written)
            unit = re.search(r"(?:元|圆|美元|欧元|港元|港币|\s*dollars?|\s*yuan)$", written)
            found.append(
                Figure(
                    amount.start,
                    amount.end,
                    amount.value,
                    unit[0] if unit else "",
                    prefix=currency[0] if currency else "",
                )
            )
    return found


def _days(contract: Contract, start: int, end: int) -> list[Figure]:
    found = [
        Figure(s.start, s.end, s.days, _unit(contract, s.start, s.end), s.days / s.number)
        for s in contract.spans
        if start <= s.start < end and s.unit != "小时" and s.number
    ]
    return found + _english(contract, start, end, _DAYS_EN)


def _months(contract: Contract, start: int, end: int) -> list[Figure]:
    found = [
        Figure(s.start, s.end, s.months, _unit(contract, s.start, s.end), s.months / s.number)
        for s in contract.spans
        if start <= s.start < end and s.months is not None and s.number
    ]
    return found + _english(contract, start, end, _MONTHS_EN)


def _unit(contract: Contract, start: int, end: int) -> str:
    """What stands behind the number: 个工作日, 个月, 年."""
    match = re.search(r"个?(?:工作日|日历日|星期|周年|年|月|周|日|天)$", contract.text[start:end])
    return match[0] if match else ""


def _english(contract: Contract, start: int, end: int, scales: dict[str, int]) -> list[Figure]:
    found = []
    for match in _ENGLISH.finditer(contract.text, start, end):
        unit = match["unit"]
        scale = scales.get(unit.split()[-1].lower().rstrip("s"))
        if scale:
            value = Decimal(match["n"]) * scale
            found.append(Figure(match.start(), match.end(), value, f" {unit}", Decimal(scale)))
    return found


_READERS: dict[str, Callable[[Contract, int, int], list[Figure]]] = {
    "percent": _percents,
    "money": _money,
    "days": _days,
    "months": _months,
}
