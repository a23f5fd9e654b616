"""The spans of days an owner chooses from, and the days and hours a chart shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from furrow.metering.selectors import day_span

SPANS = ("today", "week", "month", "last_month", "quarter", "year")
UNITS = ("hour", "day", "month")
DEFAULT = "month"


@dataclass(frozen=True)
class Span:
    """Both days included. A single day is shown hour by hour, more than a quarter month by month."""

    key: str
    since: date
    until: date

    @property
    def unit(self) -> str:
        days = (self.until - self.since).days
        return "hour" if not days else "day" if days < 100 else "month"


def today() -> date:
    return timezone.localdate()


def span_of(key: str) -> Span:
    """What a name stands for today; an unknown name is this month."""
    now = today()
    month = now.replace(day=1)
    last = month - timedelta(days=1)
    spans = {
        "today": (now, now),
        "week": (now - timedelta(days=6), now),
        "month": (month, now),
        "last_month": (last.replace(day=1), last),
        "quarter": (now - timedelta(days=89), now),
        "year": (month_after(month).replace(year=month_after(month).year - 1), now),
    }
    key = key if key in spans else DEFAULT
    return Span(key, *spans[key])


def span_names() -> dict[str, str]:
    return {
        "today": _("Today"),
        "week": _("7 days"),
        "month": _("This month"),
        "last_month": _("Last month"),
        "quarter": _("90 days"),
        "year": _("12 months"),
    }


def span_tabs(current: str, **query: str) -> list[dict[str, Any]]:
    rest = "".join(f"&{name}={value}" for name, value in query.items() if value)
    return [
        {"url": f"?span={key}{rest}", "label": label, "is_current": key == current}
        for key, label in span_names().items()
    ]


def points(span: Span, spent: Mapping[str, Decimal]) -> list[tuple[str, Decimal]]:
    """What each hour, day or month of the span cost, by its key, those without usage at 0."""
    if span.unit == "hour":
        spent = {datetime.fromisoformat(key).isoformat(): cost for key, cost in spent.items()}
    places = {"hour": _hours, "day": _days, "month": _months}[span.unit]
    return [(label, spent.get(key, Decimal(0))) for key, label in places(span)]


def _days(span: Span) -> Iterable[tuple[str, str]]:
    for number in range((span.until - span.since).days + 1):
        day = span.since + timedelta(days=number)
        yield day.isoformat(), date_format(day, _("M j"))


def _months(span: Span) -> Iterable[tuple[str, str]]:
    month = span.since.replace(day=1)
    while month <= span.until:
        yield month.isoformat(), date_format(month, _("M Y"))
        month = month_after(month)


def _hours(span: Span) -> Iterable[tuple[str, str]]:
    """By the wall clock, 23 to 25 of them; keys are in UTC as the database gives them. Sums are of whole hours
    of UTC, so where the day begins at half past, its first hour does too.
    """
    begin, end = day_span(span.since, span.until)
    zone = ZoneInfo(settings.TIME_ZONE)
    moment = begin.astimezone(ZoneInfo("UTC"))
    if moment.minute:
        moment = moment.replace(minute=0) + timedelta(hours=1)
    while moment < end:
        yield moment.isoformat(), f"{moment.astimezone(zone):%H}:00"
        moment += timedelta(hours=1)


def month_after(day: date) -> date:
    """The first day of the next month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
