"""When people answer: the hours of the week, and seasons (harvest, a pause) that replace them. Inside `tenant_tx`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction
from django.utils.translation import gettext as _

from furrow.core.errors import Invalid, NotFound
from furrow.tenants.models import HoursSeason, OpeningHours
from furrow.tenants.services import Actor, audit

DEFAULT_ZONE = "Asia/Shanghai"
SEASONS_MOST = 40
NAME_LENGTH = 60
# How far ahead an opening is looked for: longer than any pause between two harvests.
_AHEAD = timedelta(days=366)
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
Span = tuple[str, str]


def _day(of: date) -> tuple[int, int]:
    return of.month, of.day


@dataclass(frozen=True)
class Season:
    """Without `span` it is closed all day."""

    name: str
    starts_on: date
    ends_on: date
    is_yearly: bool
    span: Span | None

    def covers(self, day: date) -> bool:
        if not self.is_yearly:
            return self.starts_on <= day <= self.ends_on
        first, last, today = map(_day, (self.starts_on, self.ends_on, day))
        # A yearly season may run over New Year.
        return first <= today <= last if first <= last else today >= first or today <= last

    @property
    def length(self) -> int:
        return (self.ends_on - self.starts_on).days


@dataclass(frozen=True)
class Hours:
    """Everything needed to say whether somebody is there at a moment; pure."""

    zone: str
    weekly: tuple[Span | None, ...]
    seasons: tuple[Season, ...]

    @property
    def is_known(self) -> bool:
        return any(self.weekly) or any(season.span for season in self.seasons)

    def season_on(self, day: date) -> Season | None:
        """The shortest that covers the day: a pause inside a harvest wins."""
        found = [season for season in self.seasons if season.covers(day)]
        return min(found, key=lambda season: season.length, default=None)

    def span_on(self, day: date) -> Span | None:
        season = self.season_on(day)
        return season.span if season else self.weekly[day.weekday()]

    def is_open(self, at: datetime) -> bool:
        """Unknown hours count as open: nobody said that nobody is there."""
        if not self.is_known:
            return True
        local = at.astimezone(ZoneInfo(self.zone))
        return any(
            begin <= local < end
            for day in (local.date() - timedelta(days=1), local.date())
            for begin, end in self._times(day)
        )

    def next_opening(self, at: datetime) -> datetime | None:
        """`at` itself while open; None when no opening is in sight."""
        if self.is_open(at):
            return at
        local = at.astimezone(ZoneInfo(self.zone))
        day = local.date()
        while day <= local.date() + _AHEAD:
            for begin, _end in self._times(day):
                if begin > local:
                    return begin
            day += timedelta(days=1)
        return None

    def _times(self, day: date) -> list[tuple[datetime, datetime]]:
        span = self.span_on(day)
        if span is None:
            return []
        begin, end = (_moment(day, clock, self.zone) for clock in span)
        # 20:00 to 02:00 ends the next morning.
        return [(begin, end if end > begin else end + timedelta(days=1))]


def _moment(day: date, clock: str, zone: str) -> datetime:
    if clock == "24:00":
        day, clock = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))


def hours_read() -> Hours:
    """Two queries."""
    row: OpeningHours | None = OpeningHours.objects.first()
    weekly = row.weekly if row else []
    days = [tuple(day) if day else None for day in weekly] or [None] * 7
    seasons = [_season(season) for season in seasons_list()] if row else []
    return Hours(row.zone if row else DEFAULT_ZONE, tuple(days), tuple(seasons))


def _season(row: HoursSeason) -> Season:
    span = (row.opens_at, row.closes_at) if row.opens_at else None
    return Season(row.name, row.starts_on, row.ends_on, row.is_yearly, span)


def seasons_list() -> Any:
    return HoursSeason.objects.order_by("starts_on", "name")


@transaction.atomic
def hours_set(*, actor: Actor, weekly: Sequence[Any], zone: str = DEFAULT_ZONE) -> OpeningHours:
    """`weekly` has seven entries from Monday: a pair of times, or None for a day off."""
    if zone not in available_timezones():
        raise Invalid(_("This time zone does not exist."), field="zone")
    if len(weekly) != 7:
        raise Invalid(_("A week has seven days."), field="weekly")
    days = [_span_checked(day) for day in weekly]
    row: OpeningHours = OpeningHours.objects.update_or_create(
        defaults={"zone": zone, "weekly": [list(day) if day else None for day in days]}
    )[0]
    audit(actor, "hours.set", object_type="hours", object_id=row.id)
    return row


def _span_checked(day: Any) -> Span | None:
    if not day:
        return None
    begin, end = (str(clock) for clock in day) if len(day) == 2 else ("", "")
    if not _CLOCK.fullmatch(begin) or not _CLOCK.fullmatch(end) or begin == end:
        raise Invalid(_("Write times like 08:00 and 18:00."), field="weekly")
    if begin == "24:00":
        raise Invalid(_("Write times like 08:00 and 18:00."), field="weekly")
    return begin, end


@transaction.atomic
def season_save(
    *,
    actor: Actor,
    name: str,
    starts_on: date,
    ends_on: date,
    is_yearly: bool = False,
    span: Span | None = None,
    season_id: UUID | None = None,
) -> HoursSeason:
    """Without `span` it is closed all day."""
    name = name.strip()
    if not name or len(name) > NAME_LENGTH:
        raise Invalid(_("Give it a name of up to 60 characters."), field="name")
    if ends_on < starts_on:
        raise Invalid(_("The last day comes before the first."), field="ends_on")
    if is_yearly and (ends_on.year - starts_on.year, *_day(ends_on)) >= (1, *_day(starts_on)):
        raise Invalid(
            _("What comes every year has to end before it begins again."), field="ends_on"
        )
    span = _span_checked(span)
    if season_id is None and HoursSeason.objects.count() >= SEASONS_MOST:
        raise Invalid(_("There are too many seasons. Remove old ones first."))
    row = season_get(season_id) if season_id else HoursSeason()
    row.name, row.starts_on, row.ends_on, row.is_yearly = name, starts_on, ends_on, is_yearly
    row.opens_at, row.closes_at = span or ("", "")
    row.save()
    # Seasons need hours around them, even if every day of those is off.
    OpeningHours.objects.get_or_create(defaults={"weekly": [None] * 7})
    audit(actor, "hours.season_saved", object_type="season", object_id=row.id)
    return row


def season_get(season_id: UUID) -> HoursSeason:
    row: HoursSeason | None = HoursSeason.objects.filter(id=season_id).first()
    if row is None:
        raise NotFound(_("This season does not exist."))
    return row


@transaction.atomic
def season_remove(*, actor: Actor, season: HoursSeason) -> None:
    season_id = season.id
    season.delete()
    audit(actor, "hours.season_removed", object_type="season", object_id=season_id)
