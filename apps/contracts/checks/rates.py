"""The one-year loan prime rate, as data with the day each rate began."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).parent / "files" / "lpr_one_year.tsv"


@dataclass(frozen=True, slots=True)
class Rate:
    since: date
    percent: Decimal


def prime_rate(day: date) -> Rate:
    """The rate in force on the day; the first known one for any day before it."""
    rates = _rates()
    return next((rate for rate in reversed(rates) if rate.since <= day), rates[0])


@lru_cache(maxsize=1)
def _rates() -> tuple[Rate, ...]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return tuple(Rate(date.fromisoformat(day), Decimal(percent)) for day, percent in pairs)
