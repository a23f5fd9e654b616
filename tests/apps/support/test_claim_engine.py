"""The claim engine against the written cases, and its promises for any case."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.support.claiming.engine import reckon
from apps.support.claiming.explain import explained
from apps.support.claiming.letters import letter_approved, letter_denied, letter_missing
from apps.support.claiming.rules import Facts, Terms
from apps.support.claiming.starter import STARTER_RULES
from furrow.core.errors import Invalid
from tests.apps.support.claim_cases import DELIVERED, claim_cases, rules_of

CASES = claim_cases()
RULES = rules_of(STARTER_RULES)


def test_all_eighty_written_cases_are_right():
    assert len(CASES) == 80
    assert {case.id: case.wrong() for case in CASES if case.wrong()} == {}


def test_every_step_has_words_in_both_languages():
    for case in CASES:
        outcome = case.reckon()
        for language in ("zh", "en"):
            sentences = explained(outcome.steps, language)
            assert len(sentences) == len(outcome.steps)
            assert not any("{" in sentence for sentence in sentences)


def test_letter_says_the_offer_and_no_other_sum():
    outcome = CASES[0].reckon()
    zh = letter_approved(outcome, number=7, language="zh")
    en = letter_approved(outcome, number=7, language="en")
    assert "退款11.18元" in zh
    assert "11.18 yuan" in en
    assert "50" not in zh.replace("69.90", "")  # what needs approval is not the customer's business


def test_letter_names_everything_missing_at_once():
    outcome = CASES[9].reckon()
    assert outcome.missing == ("photo:label", "photo:box", "photo:goods")
    letter = letter_missing(outcome, number=7, language="zh")
    assert all(word in letter for word in ("面单", "整箱", "坏果放在一起"))


def test_denial_gives_its_reason():
    late = next(case for case in CASES if case.id == "5").reckon()
    assert "24小时" in letter_denied(late, number=7, language="zh")
    assert "24 hours" in letter_denied(late, number=7, language="en")


money = st.decimals(min_value=0, max_value=5000, places=2)
weight = st.decimals(min_value="0.01", max_value=1000, places=3)


@given(paid=money, freight=money, refunded=money, net=weight, bad=weight, reason=st.sampled_from(
    ["spoiled", "short_weight", "wrong_item", "lost", "refused", "late", "not_sweet"]))  # fmt: skip
def test_never_more_than_was_paid_and_in_whole_cents(paid, freight, refunded, net, bad, reason):
    facts = Facts(
        reason, DELIVERED, delivered_at=DELIVERED, paid=paid, freight=freight, already_refunded=refunded, net_kg=net,
        bad_kg=bad, received_kg=bad, sugar=Decimal(9), days_late=9, photos=frozenset({"label", "box", "goods", "scale", "cut"}),
    )  # fmt: skip
    outcome = reckon(RULES, facts, approve_above=Decimal(50))
    assert Decimal(0) <= outcome.total <= max(Decimal(0), paid + freight - refunded)
    assert outcome.total == outcome.total.quantize(Decimal("0.01"))
    assert (outcome.kind == "offer") == (outcome.total > 0)
    assert outcome.kind != "offer" or outcome.total <= 50 or outcome.approver


def test_more_bad_fruit_never_pays_less():
    facts = CASES[0].facts
    offers = [
        reckon(RULES, replace(facts, bad_kg=Decimal(n) / 10), approve_above=Decimal(50)).total
        for n in range(1, 60)
    ]
    assert offers == sorted(offers)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"formula": "gift"},
        {"formula": "full", "window_hour": 24},
        {"formula": "percent"},
        {"formula": "percent", "percent": 0.5},
        {"formula": "percent", "percent": "1.5"},
        {"formula": "percent", "percent": "NaN"},
        {"formula": "full", "evidence": ["video"]},
        {"formula": "full", "window_hours": -1},
        {"formula": "full", "window_hours": "24"},
        {"formula": "full", "approver": "model"},
    ],
)
def test_rule_that_does_not_add_up_is_refused(terms):
    with pytest.raises(Invalid):
        Terms.of_json(terms)


def test_terms_survive_being_stored():
    for rule in RULES:
        assert Terms.of_json(rule.terms.as_json()) == rule.terms
