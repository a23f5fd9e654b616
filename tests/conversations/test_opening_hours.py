"""Opening hours: weeks, nights, harvests and pauses."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from furrow.assistants.phrases import moment_words
from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid
from furrow.tenants.hours import Hours, Season, hours_read, hours_set, season_save
from furrow.tenants.services import SYSTEM

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = (("08:00", "18:00"),) * 5 + (("09:00", "12:00"), None)
HARVEST = Season("harvest", date(2020, 10, 15), date(2020, 11, 30), True, ("06:00", "24:00"))
PAUSE = Season("pause", date(2026, 11, 10), date(2026, 11, 12), False, None)


def at(day: int, hour: int, minute: int = 0, *, month: int = 9) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


def hours(*seasons: Season) -> Hours:
    return Hours("Asia/Shanghai", WEEK, seasons)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(7, 8), True),
        (at(7, 7, 59), False),
        (at(7, 17, 59), True),
        (at(7, 18), False),
        (at(12, 10), True),
        (at(13, 10), False),
    ],
)
def test_the_week_says_when_somebody_is_there(moment, is_open):
    assert hours().is_open(moment) == is_open


def test_a_harvest_replaces_the_week_every_year_and_a_pause_replaces_the_harvest():
    both = hours(HARVEST, PAUSE)
    assert both.is_open(at(20, 23, month=10))
    assert both.is_open(at(8, 23, month=11))  # a Sunday in the harvest
    assert not both.is_open(at(11, 12, month=11))
    assert both.next_opening(at(11, 12, month=11)) == at(13, 6, month=11)


def test_hours_that_end_after_midnight_reach_into_the_next_day():
    night = Hours("Asia/Shanghai", (("20:00", "02:00"),) + (None,) * 6, ())
    assert night.is_open(at(8, 1))  # Tuesday, an hour after Monday ended
    assert not night.is_open(at(8, 3))


def test_a_season_over_new_year_covers_both_ends():
    winter = Season("winter", date(2020, 12, 20), date(2021, 1, 10), True, None)
    assert winter.covers(date(2026, 12, 31))
    assert winter.covers(date(2027, 1, 5))
    assert not winter.covers(date(2027, 2, 1))


def test_hours_nobody_told_promise_nothing_and_close_nothing():
    unknown = Hours("Asia/Shanghai", (None,) * 7, ())
    assert unknown.is_open(at(7, 3))


def test_the_next_opening_is_said_as_people_say_it():
    now = at(7, 22)
    words = {
        language: moment_words(at(8, 8), now=now, zone="Asia/Shanghai", language=language)
        for language in ("zh", "en")
    }
    assert words == {"zh": "明天8:00", "en": "tomorrow at 8:00"}
    assert (
        moment_words(at(13, 6, 30), now=now, zone="Asia/Shanghai", language="zh") == "9月13日6:30"
    )


def test_hours_are_kept_with_their_seasons(cast):
    with tenant_tx(cast.tenant.id):
        hours_set(actor=SYSTEM, weekly=[["08:00", "18:00"], *[None] * 6])
        season_save(
            actor=SYSTEM,
            name="harvest",
            starts_on=date(2026, 10, 1),
            ends_on=date(2026, 11, 1),
            span=("06:00", "22:00"),
        )
        kept = hours_read()
        assert kept.span_on(date(2026, 9, 7)) == ("08:00", "18:00")
        assert kept.span_on(date(2026, 10, 4)) == ("06:00", "22:00")
        with pytest.raises(Invalid):
            hours_set(actor=SYSTEM, weekly=[["8", "18:00"], *[None] * 6])
        with pytest.raises(Invalid):
            season_save(
                actor=SYSTEM, name="x", starts_on=date(2026, 2, 1), ends_on=date(2026, 1, 1)
            )
    with tenant_tx(cast.other_tenant.id):
        assert not hours_read().is_known


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "is_taken"),
    [
        (date(2026, 3, 1), date(2027, 2, 28), True),
        (date(2028, 1, 1), date(2028, 12, 31), True),
        # Kept as month and day, it would be one day long.
        (date(2026, 3, 1), date(2027, 3, 1), False),
        (date(2026, 1, 1), date(2027, 6, 1), False),
    ],
)
def test_what_comes_every_year_ends_before_it_begins_again(cast, starts_on, ends_on, is_taken):
    with tenant_tx(cast.tenant.id):
        given = {"name": "x", "starts_on": starts_on, "ends_on": ends_on, "is_yearly": True}
        if not is_taken:
            with translation.override("en"), pytest.raises(Invalid, match="every year"):
                season_save(actor=SYSTEM, **given)
            return
        season_save(actor=SYSTEM, **given)
        (season,) = hours_read().seasons
        assert season.covers(date(2030, 7, 1))
