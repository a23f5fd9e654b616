"""The price book: which price holds, how it changes, and what cannot be done to it."""

import ast
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import Error, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

import furrow.metering
from furrow.core.errors import Conflict, Invalid
from furrow.metering.counts import Counts
from furrow.metering.errors import PriceUnknown
from furrow.metering.money import amount_text, cents, tokens_cost
from furrow.metering.prices import (
    price_end,
    price_preview,
    price_set,
    price_window_create,
    prices_now,
)
from furrow.metering.rollups import rollup_run
from furrow.metering.settlement import correct


def per_million(model="m", kind="chat", **options):
    found = prices_now(model=model, kind=kind, currency=options.pop("currency", "CNY"), **options)
    return {name: price.per_million for name, price in found.buckets.items()}


def set_price(per_million, model="m", kind="out", **options):
    return price_set(
        model=model, kind=kind, per_million=Decimal(per_million), currency="CNY", **options
    )


def test_default_book(db):
    assert per_million() == {
        "in_hit": Decimal("0.5"),
        "in_miss": Decimal(2),
        "out": Decimal(8),
        "reasoning": Decimal(8),
    }
    assert set(per_million(kind="embedding").values()) == {Decimal("0.1")}
    assert set(per_million(kind="rerank").values()) == {Decimal("0.1")}


def test_own_price_comes_before_the_one_for_any_model(db):
    set_price("12")
    assert per_million()["out"] == 12
    assert per_million("another")["out"] == 8


def test_thinking_costs_what_answering_costs(db):
    price_end(model="*", kind="reasoning", currency="CNY")
    set_price("12")
    assert per_million()["reasoning"] == 12


def test_change_takes_effect_at_its_instant(db):
    starts_at = datetime.now(UTC) + timedelta(days=1)
    set_price("12", model="*", starts_at=starts_at)
    assert per_million()["out"] == 8
    assert per_million(at=starts_at - timedelta(microseconds=1))["out"] == 8
    assert per_million(at=starts_at)["out"] == 12


def test_every_change_is_a_new_version_of_the_book(db):
    before = prices_now(model="m", kind="chat", currency="CNY").book_version
    set_price("12")
    after = prices_now(model="m", kind="chat", currency="CNY").book_version
    assert after == before + 1


def test_planned_price_can_be_replaced_only_later(db):
    starts_at = datetime.now(UTC) + timedelta(days=1)
    set_price("12", starts_at=starts_at)
    with pytest.raises(Conflict):
        set_price("11")
    set_price("13", starts_at=starts_at)
    assert per_million(at=starts_at)["out"] == 13


@pytest.mark.parametrize("currency", ["USD", "cny", ""])
def test_unknown_currency_is_refused(db, currency):
    with pytest.raises(PriceUnknown):
        per_million(currency=currency)


class TestHoursOfTheDay:
    def at(self, text):
        return datetime.fromisoformat(f"2027-03-01T{text}+00:00")

    @pytest.fixture
    def peak(self, db):
        price_window_create(
            name="peak", timezone="UTC", spans=[("01:00", "04:00"), ("06:00", "10:00")]
        )
        set_price("16", window="peak")
        set_price("8")

    @pytest.mark.parametrize(
        ("clock", "price"),
        [("00:59:59", 8), ("01:00", 16), ("03:59:59", 16), ("04:00", 8), ("06:00", 16), ("10:00", 8)],
    )  # fmt: skip
    def test_peak_hours_have_their_price(self, peak, clock, price):
        assert per_million(at=self.at(clock))["out"] == price

    @pytest.mark.parametrize(
        ("clock", "holds"), [("15:30", True), ("17:59", True), ("18:00", False)]
    )
    def test_span_over_midnight_in_another_zone(self, db, clock, holds):
        price_window_create(name="night", timezone="Asia/Shanghai", spans=[("23:30", "02:00")])
        set_price("16", window="night")
        assert (per_million(at=self.at(clock))["out"] == 16) is holds

    def test_hours_of_a_name_cannot_change(self, peak):
        with pytest.raises(Conflict):
            price_window_create(name="peak", timezone="UTC", spans=[("00:00", "12:00")])


@pytest.mark.parametrize("wrong", ["-1", "NaN", "Infinity", "1e9", "0.0000000001"])
def test_impossible_prices_are_refused(db, wrong):
    with pytest.raises(Invalid):
        set_price(wrong)


def test_i10_prices_cannot_overlap(db):
    insert = (
        'INSERT INTO metering_priceitem (id, model, kind, currency, "window", per_million, valid,'
        " book_version) VALUES (gen_random_uuid(), 'm', 'out', 'CNY', '', 1, tstzrange(now() + %s, NULL), 9)"
    )
    with connection.cursor() as cursor:
        cursor.execute(insert, [timedelta(days=1)])
        with pytest.raises(IntegrityError, match="price_no_overlap"), transaction.atomic():
            cursor.execute(insert, [timedelta(days=2)])
        with pytest.raises(IntegrityError, match="in the past"), transaction.atomic():
            cursor.execute(insert.replace("'out'", "'in_hit'"), [timedelta(seconds=-1)])


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE metering_priceitem SET per_million = 0",
        "UPDATE metering_priceitem SET valid = 'empty'",
        "DELETE FROM metering_priceitem",
        "TRUNCATE metering_priceitem",
        "UPDATE metering_pricewindow SET spans = '[]'",
    ],
)
@pytest.mark.parametrize("role", ["NONE", "furrow_maintenance"])
def test_i10_prices_cannot_be_edited(db, sql, role):
    def act():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {role}")
            cursor.execute(sql)

    with pytest.raises(Error, match="permission denied"):
        act()


def test_i10_a_price_cannot_end_in_the_past(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT metering_price_close(id, now() - interval '1 second') FROM metering_priceitem"
        )
        assert {row[0] for row in cursor.fetchall()} == {False}
    assert per_million()["out"] == 8


def test_preview_says_what_a_change_would_have_cost(payer, other_payer):
    payer.spend(0, 1_000_000, 500_000, 0)
    other_payer.spend(1_000_000, 0, 0, 0)
    rollup_run()
    now = datetime.now(UTC)
    span = {"since": now - timedelta(days=30), "until": now + timedelta(days=1), "currency": "CNY"}
    dearer = price_preview(changes={("*", "out", ""): Decimal(10)}, **span)
    assert (dearer.before, dearer.after) == (Decimal("6.5"), Decimal("7.5"))
    own = price_preview(changes={("m", "in_hit", ""): Decimal(0)}, **span)
    assert own.difference == Decimal("-0.5")
    assert price_preview(changes={("x", "out", ""): Decimal(10)}, **span).difference == 0


def test_preview_reads_hours_and_knows_which_price_each_token_had(payer):
    """Two prices in one hour, and a correction: the preview is what the events would say."""
    payer.spend(0, 0, 1_000_000, 0)
    set_price("12")
    hold = payer.hold(0, 3_000_000)
    payer.settle(hold, 0, 0, 3_000_000, 0, basis="estimated")
    with payer.tx():
        correct(request_id=hold.request_id, counts=Counts(0, 0, 2_000_000, 0))
    rollup_run()
    now = datetime.now(UTC)
    span = {"since": now - timedelta(days=1), "until": now + timedelta(days=1), "currency": "CNY"}
    with CaptureQueriesContext(connection) as asked:
        found = price_preview(changes={("m", "out", ""): Decimal(1)}, **span)
    # A million at 8, the price of every other model, and two at the model's own 12.
    assert (found.before, found.after) == (Decimal(32), Decimal(3))
    assert not [q for q in asked if "metering_usageevent" in q["sql"]]


def test_smallest_price_keeps_every_decimal():
    assert tokens_cost(1, Decimal("0.003625")) == Decimal("0.000000003625")
    assert tokens_cost(10**12, Decimal("999999999.999999999")) == Decimal("999999999999999.999")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "0.00"), ("-0.0000000000001", "0.00"), ("1E+2", "100.00"), ("0.000000003625", "0.000000003625"), ("-1.5", "-1.50")],
)  # fmt: skip
def test_amounts_are_decimal_text(amount, text):
    assert amount_text(Decimal(amount)) == text


def test_halves_are_rounded_to_even():
    assert [str(cents(Decimal(v))) for v in ("0.005", "0.015", "0.025")] == ["0.00", "0.02", "0.02"]


def test_money_is_never_binary():
    """No float enters the app: neither the type nor a literal nor true division of integers as money."""
    for path in Path(furrow.metering.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Name) and node.id == "float"), path
            assert not (isinstance(node, ast.Attribute) and node.attr == "FloatField"), path
            is_seconds = path.name in {"receipt_pages.py"}
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                assert is_seconds, f"{path}:{node.lineno}"
