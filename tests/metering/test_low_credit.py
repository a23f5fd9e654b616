"""Credit that runs low is told once for each level and payment, and when a call is refused with next to nothing
left.
"""

from decimal import Decimal

import pytest

from furrow.core.context import tenant_context
from furrow.core.errors import Invalid
from furrow.metering.credit import credit_add, low_credit_set, prepaid_set
from furrow.metering.errors import BudgetExceeded
from furrow.metering.holds import Bounds, hold_open
from furrow.metering.models import BudgetNotice
from furrow.metering.warnings import money_warnings
from furrow.tenants.services import SYSTEM


@pytest.fixture
def prepaid(payer):
    with payer.tx():
        prepaid_set(actor=SYSTEM, is_prepaid=True)
    pay_in(payer, "0.01")
    return payer


def pay_in(payer, amount, reference="pay-1"):
    with payer.tx():
        credit_add(actor=SYSTEM, amount=Decimal(amount), reference=reference)


def told(payer, scope="wallet"):
    with payer.tx():
        rows = BudgetNotice.objects.filter(balance__scope=scope).order_by("created_at", "percent")
        return list(rows.values_list("percent", flat=True))


def warned(payer):
    with payer.tx():
        return [(each.is_credit, each.is_used_up) for each in money_warnings()]


def ask(payer, in_tokens):
    """As the gateway asks: outside any transaction of its own."""
    with tenant_context(payer.tenant_id):
        hold_open(request_id=f"a{in_tokens}", model="m", bounds=Bounds(in_tokens))


def test_a_fifth_that_is_left_is_told_once(prepaid):
    prepaid.spend(0, 3900, 0, 0)
    assert (told(prepaid), warned(prepaid)) == ([], [])
    prepaid.spend(0, 200, 0, 0)
    prepaid.spend(0, 200, 0, 0)
    assert (told(prepaid), warned(prepaid)) == ([80], [(True, False)])


def test_payment_arms_it_again_and_counts_from_what_stood_there_then(prepaid):
    prepaid.spend(0, 4200, 0, 0)
    pay_in(prepaid, "0.01", "pay-2")
    assert warned(prepaid) == []
    # 0.0116 stood there: a fifth of it is 0.00232, not a fifth of the 0.02 ever paid in.
    prepaid.spend(0, 4500, 0, 0)
    assert told(prepaid) == [80]
    prepaid.spend(0, 200, 0, 0)
    assert (told(prepaid), warned(prepaid)) == ([80, 80], [(True, False)])


def test_call_refused_with_next_to_nothing_left_means_used_up(prepaid):
    prepaid.spend(0, 4950, 0, 0)
    assert (told(prepaid), warned(prepaid)) == ([80], [(True, False)])
    for _ in range(2):
        with pytest.raises(BudgetExceeded):
            ask(prepaid, 60)
    assert (told(prepaid), warned(prepaid)) == ([80, 100], [(True, True)])
    pay_in(prepaid, "0.01", "pay-2")
    assert warned(prepaid) == []


def test_call_that_alone_is_too_dear_says_nothing(prepaid):
    with pytest.raises(BudgetExceeded):
        ask(prepaid, 9000)
    assert (told(prepaid), warned(prepaid)) == ([], [])


def test_limit_that_is_raised_tells_again(payer):
    payer.budget("0.01")
    payer.spend(0, 4200, 0, 0)
    assert (told(payer, "tenant"), warned(payer)) == ([50, 80], [(False, False)])
    payer.budget("0.02")
    assert warned(payer) == []
    payer.spend(0, 4200, 0, 0)
    assert told(payer, "tenant") == [50, 80, 50, 80]


def test_operator_sets_the_share(prepaid):
    with prepaid.tx():
        low_credit_set(actor=SYSTEM, percent=50)
    prepaid.spend(0, 2600, 0, 0)
    assert (told(prepaid), warned(prepaid)) == ([50], [(True, False)])
    with prepaid.tx(), pytest.raises(Invalid):
        low_credit_set(actor=SYSTEM, percent=91)


def test_one_who_never_paid_in_is_warned_and_one_who_pays_afterwards_is_not(payer):
    assert warned(payer) == []
    with payer.tx():
        prepaid_set(actor=SYSTEM, is_prepaid=True)
    assert warned(payer) == [(True, True)]
