"""Holds: what they set aside, whom they refuse, how they end."""

from decimal import Decimal

import pytest

from furrow.core.errors import Conflict
from furrow.metering.attribution import Attribution
from furrow.metering.errors import BudgetExceeded, PriceUnknown
from furrow.metering.holds import output_affordable, void
from furrow.metering.models import Hold
from furrow.metering.prices import price_end


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


class TestOutputAffordable:
    def ask(self, payer, wanted=1000, **options):
        with payer.tx():
            return output_affordable(model="m", in_tokens=1000, wanted=wanted, **options)

    def test_without_a_limit_all_that_is_wanted(self, payer):
        assert self.ask(payer) == 1000

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_a_call_of_that_size_fits_and_one_more_token_does_not(self, payer, n):
        payer.budget("0.006")
        tokens = self.ask(payer, n=n)
        assert 0 < tokens < 1000
        with pytest.raises(BudgetExceeded):
            payer.hold(1000, (tokens + 1) * n)
        payer.hold(1000, tokens * n)
        payer.check()

    def test_nothing_left_is_refused(self, payer):
        payer.budget("0.002")
        with pytest.raises(BudgetExceeded):
            self.ask(payer)
