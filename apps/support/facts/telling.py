"""Putting rows into words so that no figure can slip in: every number of an answer is one that a row gave."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from apps.support.models import ShopSettings

_FIGURE = re.compile(r"\d+(?:\.\d+)?")
_MONTHS = (
    "January February March April May June July August September October November December".split()
)


@dataclass
class Teller:
    """Writes in one language and remembers what it was given. `limits` says how old a row may be."""

    language: str
    limits: ShopSettings
    now: datetime
    told: set[str] = field(default_factory=set)
    oldest: datetime | None = None

    @property
    def is_chinese(self) -> bool:
        return self.language == "zh"

    def either(self, zh: str, en: str) -> str:
        return zh if self.is_chinese else en

    def say(self, value: object) -> str:
        """A value of a row as text; its figures may from now on stand in the answer."""
        text = plain(value) if isinstance(value, Decimal) else str(value)
        self.told |= set(_FIGURE.findall(text))
        return text

    def money(self, amount: Decimal, currency: str = "CNY") -> str:
        """As the row has it, with its cents."""
        text = self.say(f"{amount:f}")
        if currency == "CNY":
            return self.either(f"{text}元", f"{text} yuan")
        return f"{text} {currency}"

    def day(self, code: int) -> str:
        """A day of the year that is kept as month * 100 + day."""
        month, day = divmod(code, 100)
        self.say(f"{month} {day}")
        return self.either(f"{month}月{day}日", f"{day} {_MONTHS[month - 1]}")

    def moment(self, at: datetime) -> str:
        local = timezone.localtime(at)
        zh = f"{local.year}年{local.month}月{local.day}日{local:%H:%M}"
        en = f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M}"
        return self.say(self.either(zh, en))

    def is_fresh(self, as_of: datetime, hours: int) -> bool:
        """Notes the age of what is told: the answer names the oldest of its rows."""
        if self.now - as_of > timedelta(hours=hours):
            return False
        self.oldest = as_of if self.oldest is None else min(self.oldest, as_of)
        return True

    def as_of(self) -> str:
        if self.oldest is None:
            return ""
        shown = self.moment(self.oldest)
        return self.either(f"（截至{shown}）", f" (as of {shown})")

    def joined(self, parts: Iterable[str]) -> str:
        return self.either("、", ", ").join(parts)

    def is_backed(self, text: str) -> bool:
        """Whether every figure of the text was given by a row."""
        return set(_FIGURE.findall(text)) <= self.told


def plain(number: Decimal) -> str:
    """Without zeros at the end: 5.000 is 5."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_inside(day: int, first: int, last: int) -> bool:
    """Whether a day of the year lies in a window, which may run over New Year."""
    return first <= day <= last if first <= last else day >= first or day <= last


def day_code(at: datetime) -> int:
    local = timezone.localtime(at)
    return local.month * 100 + local.day
