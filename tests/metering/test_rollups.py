"""Hours and what is read from them."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from furrow.core.errors import Invalid
from furrow.metering.alarms import alarms_open
from furrow.metering.attribution import Attribution
from furrow.metering.counts import Counts
from furrow.metering.models import RollupDue, UsageEvent, UsageHour
from furrow.metering.rollups import rollup_hour, rollup_run
from furrow.metering.selectors import defused, usage_by, usage_csv
from furrow.metering.settlement import correct

SHANGHAI = ZoneInfo("Asia/Shanghai")
FROM, TO = date(2028, 2, 1), date(2028, 3, 31)


def usage(payer, group_by="day", since=FROM, until=TO):
    with payer.tx():
        return usage_by(since=since, until=until, group_by=group_by)


def test_run_sums_up_what_was_touched(payer):
    payer.spend(1, 20, 300, 4000)
    payer.spend(1, 20, 300, 4000)
    assert rollup_run() == 1
    with payer.tx():
        (row,) = UsageHour.objects.all()
        assert (row.calls, row.in_hit, row.in_miss, row.out, row.reasoning) == (2, 2, 40, 600, 8000)
        assert row.cost == sum(event.cost for event in UsageEvent.objects.all())
        assert not RollupDue.objects.exists()
    assert rollup_run() == 0


def test_repeating_a_run_changes_nothing(payer):
    event = payer.spend(1, 2, 3, 4)
    rollup_run()
    hour = event.started_at.replace(minute=0, second=0, microsecond=0)
    with payer.tx():
        rollup_hour(hour)
        assert UsageHour.objects.get().calls == 1


def test_correction_is_in_the_hour_of_its_call(payer):
    hold = payer.hold()
    payer.settle(hold, 0, 500, 100, 0, basis="estimated")
    rollup_run()
    with payer.tx():
        correct(request_id=hold.request_id, counts=Counts(0, 400, 100, 0))
    rollup_run()
    with payer.tx():
        row = UsageHour.objects.get()
        assert (row.calls, row.in_miss, row.charged) == (1, 400, Decimal("0.0016"))


EDGES = [
    datetime(2028, 2, 28, 15, 59, 59, 999999, UTC),  # the last moment of 28 February in Shanghai
    datetime(2028, 2, 28, 16, 0, tzinfo=UTC),
    datetime(2028, 2, 29, 15, 59, 59, tzinfo=UTC),  # a leap day
    datetime(2028, 2, 29, 16, 0, tzinfo=UTC),
    datetime(2028, 3, 12, 9, 59, 59, tzinfo=UTC),  # clocks go forward in America
    datetime(2028, 3, 12, 10, 0, tzinfo=UTC),
    datetime(2028, 3, 26, 1, 0, tzinfo=UTC),  # and in Europe
]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from(EDGES),
                st.datetimes(
                    datetime(2028, 2, 2),  # noqa: DTZ001  the strategy adds the zone
                    datetime(2028, 3, 30),  # noqa: DTZ001
                    timezones=st.just(UTC),
                ),
            ),
            st.integers(0, 10**6),
            st.integers(0, 10**6),
            st.sampled_from(["chat", "embedding"]),
        ),
        min_size=1,
        max_size=8,
    )
)
@pytest.mark.slow
def test_i12_hours_add_up_to_events(payer, event_at, rows):
    for moment, prompt, answer, kind in rows:
        event_at(moment, 0, prompt, answer, 0, kind=kind)
    rollup_run()
    with payer.tx():
        events = list(UsageEvent.objects.all())
    expected: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for event in events:
        day = event.started_at.astimezone(SHANGHAI).date().isoformat()
        for key in (("day", day), ("kind", event.kind)):
            tokens, cost = expected.get(key, (0, Decimal(0)))
            expected[key] = (tokens + event.in_miss + event.out, cost + event.charged)
    found = {
        (group, row.key): (row.tokens, row.charged)
        for group in ("day", "kind")
        for row in usage(payer, group)
    }
    assert found == expected


def test_every_grouping_tells_its_values_apart(payer):
    for name in ("a", "b"):
        who = Attribution(assistant_id=name, api_key_id=name, channel=name, rung=name)
        payer.spend(0, 1, 1, 0, attribution=who, model=name)
    rollup_run()
    today = datetime.now(SHANGHAI).date()
    for group in ("assistant", "key", "channel", "rung", "model"):
        rows = usage(payer, group, today - timedelta(days=1), today)
        assert [(row.key, row.calls) for row in rows] == [("a", 1), ("b", 1)], group
    assert len(usage(payer, "hour", today - timedelta(days=1), today)) == 1


def test_usage_takes_one_query(payer, django_assert_num_queries):
    payer.spend(0, 1, 1, 0)
    rollup_run()
    today = datetime.now(SHANGHAI).date()
    with payer.tx(), django_assert_num_queries(1):
        assert len(usage_by(since=today, until=today, group_by="model")) == 1


def test_other_tenants_usage_is_not_shown(payer, other_payer):
    other_payer.spend(0, 1, 1, 0)
    rollup_run()
    today = datetime.now(SHANGHAI).date()
    assert usage(payer, "day", today, today) == []


@pytest.mark.parametrize(
    ("group_by", "since", "until"),
    [("price", FROM, TO), ("day", TO, FROM), ("day", FROM, FROM + timedelta(days=400)), ("hour", FROM, TO)],
)  # fmt: skip
def test_impossible_questions_are_refused(payer, group_by, since, until):
    with pytest.raises(Invalid):
        usage(payer, group_by, since, until)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1"])
def test_cells_that_start_a_formula_are_defused(cell):
    assert defused(cell) == f"'{cell}"
    assert defused("plain=1") == "plain=1"


def test_csv_has_a_row_for_each_group(payer):
    payer.spend(0, 10, 10, 0, model="=HYPERLINK()")
    rollup_run()
    today = datetime.now(SHANGHAI).date()
    text = usage_csv(usage(payer, "model", today, today))
    header, row = csv.reader(io.StringIO(text))
    assert dict(zip(header, row, strict=True)) == {
        "key": "'=HYPERLINK()", "currency": "CNY", "calls": "1", "in_hit": "0", "in_miss": "10",
        "out": "10", "reasoning": "0", "charged": "0.0001",
    }  # fmt: skip


def test_hour_that_cannot_be_summed_up_holds_up_no_later_one(payer, event_at):
    """The sum of two times is too large for its column; the two hours after it are good."""
    bad = datetime(2028, 2, 28, 1, tzinfo=UTC)
    for _ in range(2):
        event_at(bad, 0, 5, 5, 0, busy_us=2**62)
    for later in (1, 2):
        event_at(bad + timedelta(hours=later), 0, 5, 5, 0)
    assert rollup_run() == 2
    with payer.tx():
        assert UsageHour.objects.filter(hour__gt=bad).count() == 2
        assert set(RollupDue.objects.values_list("hour", flat=True)) == {bad}
    (alarm,) = alarms_open()
    assert (alarm.kind, alarm.source, alarm.amount) == ("hours", "usage", 1)
    # However small the portion, what came since goes first.
    event_at(bad + timedelta(hours=3), 0, 5, 5, 0)
    assert [rollup_run(limit=1), rollup_run(limit=1)] == [0, 1]
