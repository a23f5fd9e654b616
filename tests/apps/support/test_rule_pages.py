"""The house's rules by hand: what an owner saves is what answers and claims go by."""

from decimal import Decimal

import pytest
from django.urls import reverse

from apps.support.models import ClaimRule, Policy, ShippingRule, ShopSettings
from furrow.core.context import tenant_tx
from tests.apps.support.rows import shop_rows
from tests.replay import made_once


@pytest.fixture
def rows(cast):
    with tenant_tx(cast.tenant.id):
        return made_once("support, all", shop_rows)


@pytest.fixture
def owner(cast):
    client = cast.client(cast.owner)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def page(cast):
    return lambda name, *args: reverse(f"support:{name}", args=[cast.tenant.slug, *args])


RULE = {
    "name_zh": "坏果", "name_en": "Bad fruit", "reason": "spoiled", "categories": "", "formula": "weight_or_count",
    "window_hours": "36", "evidence": ["label", "goods"], "full_from": "40", "tolerance": "2.5", "approver": "owner",
    "exclusions": ["gift"], "approve_above": "30",
}  # fmt: skip


def test_saved_rule_is_a_new_version_in_the_engines_words(owner, cast, rows, page):
    with tenant_tx(cast.tenant.id):
        old = ClaimRule.objects.get(reason="spoiled", categories=[])
    assert owner.post(page("rule_update", old.id), RULE).status_code == 302
    with tenant_tx(cast.tenant.id):
        new = ClaimRule.objects.get(reason="spoiled", categories=[], is_enabled=True)
        assert (new.version, new.id != old.id) == (2, True)
        assert new.terms["full_from"] == "0.4"
        assert new.terms["tolerance"] == "0.025"
        assert new.terms["window_hours"] == 36
        assert new.terms["pickup_max_hours"] == 72  # the form does not show it


def test_rule_that_does_not_add_up_comes_back(owner, rows, page):
    answer = owner.post(page("rule_create"), {**RULE, "formula": "percent", "percent": ""})
    assert answer.status_code == 200
    assert answer.context["form"].errors


@pytest.mark.slow
def test_form_shows_percentages_and_keeps_every_rule_as_it_is(owner, cast, rows, page):
    with tenant_tx(cast.tenant.id):
        rules = list(ClaimRule.objects.filter(is_enabled=True))
    for rule in rules:
        form = owner.get(page("rule_update", rule.id)).context["form"]
        data = {k: v for k, v in form.initial.items() if v is not None}
        assert owner.post(page("rule_update", rule.id), data).status_code == 302, rule
        with tenant_tx(cast.tenant.id):
            new = ClaimRule.objects.filter(reason=rule.reason, categories=rule.categories).latest(
                "version"
            )
            assert {k: v for k, v in new.terms.items() if k != "approver"} == rule.terms, rule


def test_rule_is_taken_out_and_put_back(owner, cast, rows, page):
    rule = rows["rule"]
    owner.post(page("rule_disable", rule.id))
    with tenant_tx(cast.tenant.id):
        assert not ClaimRule.objects.get(id=rule.id).is_enabled
    owner.post(page("rule_enable", rule.id))
    with tenant_tx(cast.tenant.id):
        assert ClaimRule.objects.get(id=rule.id).is_enabled


def test_new_shop_begins_with_the_usual_rules_once(cast):
    stranger = cast.client(cast.stranger)
    url = reverse("support:rules_begin", args=[cast.other_tenant.slug])
    assert stranger.post(url).status_code == 302
    assert stranger.post(url).status_code == 409
    with tenant_tx(cast.other_tenant.id):
        assert ClaimRule.objects.count() == 13


def test_zone_is_changed_by_hand_and_no_place_stands_twice(owner, cast, rows, page):
    zone = rows["zone"]
    data = {
        "regions": "广东、福建",
        "is_served": "on",
        "days": "2-4",
        "first_kg": "3",
        "first_fee": "9.50",
    }
    assert owner.post(page("zone_update", zone.id), data).status_code == 302
    with tenant_tx(cast.tenant.id):
        saved = ShippingRule.objects.get(id=zone.id)
        assert (saved.regions, saved.days_max, saved.first_fee) == (
            ["广东", "福建"],
            4,
            Decimal("9.50"),
        )
        assert saved.extra_fee is None
    again = owner.post(page("zone_create"), {**data, "name": "other"})
    assert "already" in str(again.context["form"].errors)
    unknown = owner.post(page("zone_create"), {**data, "name": "other", "regions": "Atlantis"})
    assert unknown.context["form"].errors["regions"]


def test_policy_and_limits_are_saved(owner, cast, rows, page):
    owner.post(page("policy_update", "invoice"), {"text_zh": "可以开票。", "text_en": ""})
    values = dict.fromkeys(
        ("price_hours", "stock_hours", "order_hours", "season_hours", "rules_hours"), "5"
    )
    owner.post(page("limits_update"), {**values, "approve_above": "20"})
    with tenant_tx(cast.tenant.id):
        assert Policy.objects.get(topic="invoice").text_zh == "可以开票。"
        assert ShopSettings.objects.get().approve_above == 20
    assert owner.get(page("policy_update", "nonsense")).status_code == 404
