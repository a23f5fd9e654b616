"""How answers step down while a budget runs low."""

from decimal import Decimal

import pytest

from furrow.core.errors import Invalid
from furrow.metering.attribution import Attribution
from furrow.metering.credit import credit_add, prepaid_set
from furrow.metering.degrade import ORDER, Step, step_for
from furrow.tenants.services import SYSTEM

STEPS = [
    {"at": 90, "step": "quoted"},
    {"at": 50, "step": "shorter", "max_tokens": 256},
    {"at": 80, "step": "cheaper", "model": "small"},
]


@pytest.fixture
def step(payer):
    def ask(**options):
        with payer.tx():
            return step_for(**options)

    return ask


def test_without_a_budget_answers_are_full(step):
    assert step() == Step("full")
    assert step().may_write


@pytest.mark.parametrize(
    ("spent", "name"),
    [(0, "full"), (4999, "full"), (5000, "shorter"), (8000, "cheaper"), (8999, "cheaper"), (9000, "quoted"), (9999, "quoted")],
)  # fmt: skip
def test_each_step_begins_at_its_share(payer, step, spent, name):
    payer.budget("0.02", steps=STEPS)
    payer.spend(0, spent, 0, 0)
    found = step()
    assert (found.name, found.scope) == (name, "tenant")
    assert found.used_percent == spent // 100
    assert found.max_tokens == (256 if name == "shorter" else None)
    assert found.model == ("small" if name == "cheaper" else None)
    assert found.may_write is (name in {"full", "shorter", "cheaper"})


def test_money_held_counts_as_used(payer, step):
    payer.budget("0.02", steps=STEPS)
    payer.hold(6000, 0)
    assert step().name == "shorter"


def test_used_up_budget_allows_no_model_whatever_its_steps_say(payer, step):
    payer.spend(0, 10_000, 0, 0)
    payer.budget("0.02", steps=STEPS[1:])
    assert step().name == "quoted"
    payer.budget("0.02", steps=[{"at": 50, "step": "human"}])
    assert step().name == "human"


def test_soft_cap_steps_down_and_never_stops(payer, step):
    payer.budget("1", cap_soft=Decimal("0.002"), steps=STEPS[1:])
    payer.spend(0, 5000, 0, 0)
    assert (step().name, step().used_percent) == ("cheaper", 500)


def test_lowest_of_several_budgets_counts(payer, step):
    payer.budget("0.02", steps=STEPS)
    payer.budget("0.004", "assistant", "a", steps=[{"at": 50, "step": "approved"}])
    payer.spend(0, 1000, 0, 0, attribution=Attribution(assistant_id="a"))
    assert step(attribution=Attribution(assistant_id="a")).name == "approved"
    assert step(attribution=Attribution(assistant_id="b")).name == "full"


def test_assistants_steps_serve_a_budget_without_any(payer, step):
    payer.budget("0.02")
    payer.spend(0, 6000, 0, 0)
    assert step(steps=STEPS).name == "shorter"
    payer.budget("0.02", steps=[{"at": 60, "step": "human"}])
    assert step(steps=STEPS).name == "human"


def test_empty_wallet_allows_no_model(payer, step):
    with payer.tx():
        prepaid_set(actor=SYSTEM, is_prepaid=True)
        credit_add(actor=SYSTEM, amount=Decimal("0.002"), reference="p")
    payer.spend(0, 999, 0, 0)
    assert step().name == "full"
    with payer.tx():
        assert step_for(steps=[{"at": 90, "step": "approved"}]).name == "approved"


def test_strangers_budget_says_nothing(payer, other_payer, step):
    other_payer.budget("0.02", steps=STEPS)
    other_payer.spend(0, 9999, 0, 0)
    assert step().name == "full"


def test_setting_caps_leaves_the_steps(payer):
    payer.budget("0.02", steps=STEPS)
    again = payer.budget("0.03")
    assert [found["at"] for found in again.steps] == [50, 80, 90]
    assert payer.budget("0.03", steps=[]).steps == []


def test_one_query(payer, django_assert_num_queries):
    payer.budget("0.02", steps=STEPS)
    with payer.tx(), django_assert_num_queries(1):
        step_for()


@pytest.mark.parametrize(
    "wrong",
    [
        [{"at": 0, "step": "quoted"}],
        [{"at": 101, "step": "quoted"}],
        [{"at": "50", "step": "quoted"}],
        [{"at": 50, "step": "full"}],
        [{"at": 50, "step": "shorter"}],
        [{"at": 50, "step": "shorter", "max_tokens": 0}],
        [{"at": 50, "step": "cheaper", "model": ""}],
        [{"at": 50, "step": "quoted"}, {"at": 50, "step": "human"}],
        [{"at": n, "step": "quoted"} for n in range(1, 7)],
    ],
)
def test_impossible_steps_are_refused(payer, wrong):
    with pytest.raises(Invalid):
        payer.budget("0.02", steps=wrong)


def test_order_runs_from_best_to_last_resort():
    assert ORDER == ("full", "shorter", "cheaper", "quoted", "approved", "human")
