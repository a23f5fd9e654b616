"""Holds: what they set aside, whom they refuse, how they end."""

from contextlib import suppress
from decimal import Decimal

import pytest
from django.db import connection

from furrow.core.context import tenant_context
from furrow.core.errors import Conflict
from furrow.metering.attribution import Attribution
from furrow.metering.counts import Counts
from furrow.metering.errors import BudgetExceeded, PriceUnknown
from furrow.metering.holds import Bounds, hold_open, void
from furrow.metering.models import Budget, Hold
from furrow.metering.prices import price_end
from furrow.metering.settlement import settle


def test_hold_sets_the_dearest_outcome_aside(payer):
    hold = payer.hold(1000, 500)
    # 1,000 at 2 and 500 at 8 for a million, and room for rounding.
    assert hold.amount == Decimal("0.006000000004")
    assert payer.balance().held == hold.amount
    payer.check()


def test_settling_gives_the_rest_back(payer):
    event = payer.settle(payer.hold(1000, 500), 0, 1000, 100, 0)
    assert event.cost == event.charged == Decimal("0.0028")
    balance = payer.balance()
    assert (balance.posted, balance.held) == (Decimal("0.0028"), 0)
    payer.check()


def test_full_budget_refuses_and_leaves_nothing(payer):
    payer.budget("0.01")
    payer.hold(1000, 500)
    with pytest.raises(BudgetExceeded) as refused:
        payer.hold(1000, 500)
    assert (refused.value.status, refused.value.code) == (402, "budget_exceeded")
    assert refused.value.details == {"scope": "tenant"}
    with payer.tx():
        assert Hold.objects.count() == 1
    payer.check()


@pytest.mark.parametrize(
    ("kind", "field"),
    [("assistant", "assistant_id"), ("key", "api_key_id"), ("member", "member_id"), ("visitor", "visitor_id")],
)  # fmt: skip
def test_every_scope_has_its_own_limit(payer, kind, field):
    payer.budget("0.01", kind, "one")
    one, two = Attribution(**{field: "one"}), Attribution(**{field: "two"})
    payer.hold(1000, 500, attribution=one)
    with pytest.raises(BudgetExceeded):
        payer.hold(1000, 500, attribution=one)
    payer.hold(1000, 500, attribution=two)
    payer.check()


def test_limit_for_each_visitor_holds_for_one_never_seen_before(payer):
    payer.budget("0.01", "visitor", "*", period="day")
    for name in ("first", "second"):
        payer.hold(1000, 500, attribution=Attribution(visitor_id=name))
        with pytest.raises(BudgetExceeded):
            payer.hold(1000, 500, attribution=Attribution(visitor_id=name))
    payer.check()


def test_limit_set_in_mid_month_counts_what_was_spent_before(payer):
    helper = Attribution(assistant_id="a")
    payer.spend(0, 4000, 0, 0, attribution=helper)
    waiting = payer.hold(1000, 0, attribution=helper)
    payer.budget("0.009", "assistant", "a")
    with pytest.raises(BudgetExceeded):
        payer.hold(1000, 0, attribution=helper)
    payer.settle(waiting, 0, 500, 0, 0)
    assert payer.spend(0, 0, 0, 0, attribution=helper).cost == 0
    assert payer.balance("assistant:a").posted == Decimal("0.009")
    payer.check()


def test_lowered_limit_stops_the_next_call(payer):
    payer.budget("1")
    payer.hold(1000, 500)
    payer.budget("0.001")
    with pytest.raises(BudgetExceeded):
        payer.hold(1000, 500)


def test_unknown_price_is_refused(payer):
    for kind in ("out", "reasoning"):
        with payer.tx():
            price_end(model="*", kind=kind, currency="CNY")
    with pytest.raises(PriceUnknown):
        payer.hold()


def test_one_request_has_one_hold(payer):
    payer.hold(request_id="same")
    with pytest.raises(Conflict):
        payer.hold(request_id="same")
    payer.check()


def test_other_tenant_may_use_the_same_request_id(payer, other_payer):
    payer.hold(request_id="same")
    other_payer.hold(request_id="same")


def test_voided_hold_costs_nothing(payer):
    hold = payer.hold()
    for expected in (True, False):
        with payer.tx():
            assert void(request_id=hold.request_id) is expected
    assert payer.balance().held == 0
    payer.check()


class TestShorterAnswer:
    """Where a budget buys less than was wanted, the hold is for what it buys: the call is asked for no more."""

    def open(self, payer, wanted=1000, least=1, n=1):
        with payer.tx():
            bounds = Bounds(1000, wanted, n, least_out=least)
            return hold_open(request_id=f"w{wanted}-{n}", model="m", bounds=bounds).out_tokens

    def test_without_a_limit_all_that_is_wanted(self, payer):
        assert self.open(payer) == 1000

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_what_is_bought_fits_and_one_more_token_does_not(self, payer, n):
        payer.budget("0.006")
        with pytest.raises(BudgetExceeded):
            payer.hold(1000, 500 // n * n + n)
        tokens = self.open(payer, n=n)
        assert 500 // n - 1 <= tokens <= 500 // n
        balance = payer.balance()
        assert balance.cap_hard - balance.held < Decimal("0.000008") * n
        payer.check()

    def test_an_answer_shorter_than_the_least_is_refused(self, payer):
        payer.budget("0.006")
        with pytest.raises(BudgetExceeded):
            self.open(payer, least=501)
        payer.check()

    def test_nothing_left_is_refused(self, payer):
        payer.budget("0.002")
        with pytest.raises(BudgetExceeded):
            self.open(payer)


def test_hold_settle_and_void_are_one_statement_each(payer, django_assert_num_queries):
    """Each is a transaction by itself: more trips would keep the tenant's gate closed between them."""
    payer.spend(0, 1, 1, 0)
    with tenant_context(payer.tenant_id):
        with django_assert_num_queries(1):
            hold_open(request_id="one", model="m", bounds=Bounds(10, 10))
        with django_assert_num_queries(1):
            settle(request_id="one", counts=Counts(0, 10, 10, 0))
        with django_assert_num_queries(1):
            void(request_id="one")
    payer.check()


def test_tenant_of_a_transaction_is_put_back(payer, other_payer):
    """A hold made inside another tenant's transaction leaves that tenant set, whatever came of it."""
    other_payer.budget("0")
    with payer.tx():
        with tenant_context(other_payer.tenant_id), pytest.raises(BudgetExceeded):
            hold_open(request_id="x", model="m", bounds=Bounds(10, 10))
        for act in (
            void,
            lambda request_id: hold_open(request_id=request_id, model="m", bounds=Bounds(1)),
        ):
            with tenant_context(other_payer.tenant_id), suppress(BudgetExceeded):
                act(request_id="y")
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.tenant')")
            assert cursor.fetchone()[0] == str(payer.tenant_id)


def test_budget_set_again_counts_what_was_spent_without_it(payer):
    payer.budget("1", "visitor", "*", period="month")
    for name in ("a", "b"):
        payer.spend(0, 100, 0, 0, attribution=Attribution(visitor_id=name))
    with payer.tx():
        Budget.objects.filter(scope_kind="visitor").update(is_active=False)
    payer.spend(0, 100, 0, 0, attribution=Attribution(visitor_id="c"))
    payer.budget("1", "visitor", "*", period="month")
    payer.spend(0, 100, 0, 0, attribution=Attribution(visitor_id="c"))
    assert payer.balance("visitor:c").posted == Decimal("0.0004")
    payer.check()
