"""Claims from the first message to the letter: what is known is filled in, money is computed, people decide."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from apps.support.claiming.photos import distance, photo_read
from apps.support.models import Claim, ClaimPhoto, ClaimRule
from apps.support.services.claim_rules import rule_save
from apps.support.services.claims import (
    claim_decide,
    claim_open,
    claim_reopen,
    claim_update,
    photo_add,
    photo_remove,
)
from apps.support.services.orders import order_upsert
from furrow.core.errors import Conflict, Invalid, Refused
from tests.apps.support.conftest import picture


@pytest.fixture
def order(stand):
    now = timezone.now()
    values = {
        "number": "88887777666655", "status": "delivered", "phone_tail": "1234", "ordered_at": now - timedelta(days=3),
        "delivered_at": now - timedelta(hours=5), "paid_amount": "69.90", "freight": "8",
    }  # fmt: skip
    return order_upsert(
        platform="other", values=values, lines=[{"sku_code": "HN-1", "quantity": 1}]
    )


@pytest.fixture
def claim(order, stand, actor):
    return claim_open(
        actor=actor, reason="spoiled", order=order, sku=stand["orange"], facts={"bad_kg": "0.8"}
    )


def with_photos(actor, claim, **look):
    for n, kind in enumerate(("label", "box", "goods")):
        photo_add(actor=actor, claim=claim, kind=kind, data=picture(n + 1, **look))
    return Claim.objects.get(id=claim.id)


def test_order_and_goods_fill_in_what_they_know(claim):
    assert claim.facts["paid"] == "69.90"
    assert Decimal(claim.facts["net_kg"]) == 5
    assert claim.state == "evidence"
    assert "面单" in claim.letter


def test_small_offer_is_approved_by_its_rule_once_the_photos_are_there(claim, actor):
    done = with_photos(actor, claim)
    assert (done.state, done.offer) == ("approved", Decimal("11.18"))
    assert "11.18元" in done.letter
    assert done.decided_by is None


def test_offer_above_the_limit_waits_for_a_person(claim, actor, cast):
    claim_update(actor=actor, claim=claim, facts={"bad_kg": "4.5"})
    waiting = with_photos(actor, claim)
    assert (waiting.state, waiting.offer) == ("review", Decimal("77.90"))
    done = claim_decide(actor=actor, claim=waiting, is_approved=True, user_id=cast.owner.id)
    assert done.state == "approved"
    assert "77.90元" in done.letter
    with pytest.raises(Conflict):
        claim_decide(actor=actor, claim=done, is_approved=False, note="x")


@pytest.mark.parametrize("names_goods", [True, False])
def test_two_claims_on_one_parcel_never_pay_it_twice(claim, order, stand, actor, cast, names_goods):
    """Both were reckoned while nothing was paid; the yes to one lowers the offer of the other."""
    second = claim_open(
        actor=actor, reason="spoiled", order=order, sku=stand["orange"] if names_goods else None,
        facts={"bad_kg": "5", "net_kg": "5"},
    )  # fmt: skip
    claim_update(actor=actor, claim=claim, facts={"bad_kg": "4.5"})
    first = with_photos(actor, claim)
    for n, kind in enumerate(("label", "box", "goods")):
        photo_add(actor=actor, claim=second, kind=kind, data=picture(n + 11))
    second.refresh_from_db()
    assert (first.state, second.state) == ("review", "review")
    assert first.offer + second.offer > order.paid_amount + order.freight
    claim_decide(actor=actor, claim=first, is_approved=True, user_id=cast.owner.id)
    second.refresh_from_db()
    assert second.state == "review"
    assert first.offer + (second.offer or 0) <= order.paid_amount + order.freight


def test_staff_cannot_approve_what_an_owner_has_to(claim, actor):
    rule = ClaimRule.objects.get(reason="spoiled", categories=[])
    terms = {**rule.terms, "approver": "owner", "approve_above": "1"}
    rule_save(
        actor=actor,
        rule=rule,
        name_zh="坏果",
        name_en="Bad",
        reason="spoiled",
        terms=terms,
        position=0,
    )
    waiting = with_photos(actor, claim)
    with pytest.raises(Refused):
        claim_decide(actor=actor, claim=waiting, is_approved=True, role="staff")
    assert (
        claim_decide(actor=actor, claim=waiting, is_approved=True, role="owner").state == "approved"
    )


def test_amount_can_neither_be_typed_in_nor_be_a_float(claim, actor):
    for facts in ({"offer": "999"}, {"paid": 69.9}, {"bad_kg": "-1"}, {"bad_count": "3"}):
        with pytest.raises(Invalid):
            claim_update(actor=actor, claim=claim, facts=facts)


def test_denial_of_an_offer_needs_words(claim, actor):
    claim_update(actor=actor, claim=claim, facts={"bad_kg": "4.5"})
    waiting = with_photos(actor, claim)
    with pytest.raises(Invalid):
        claim_decide(actor=actor, claim=waiting, is_approved=False)
    denied = claim_decide(
        actor=actor, claim=waiting, is_approved=False, note="照片里不是本店的水果。"
    )
    assert "照片里不是本店的水果" in denied.letter


def test_late_claim_is_shown_to_a_person_with_its_reason(order, stand, actor):
    late = claim_open(
        actor=actor, reason="spoiled", order=order, sku=stand["orange"], facts={"bad_kg": "0.8"},
        reported_at=order.delivered_at + timedelta(hours=25),
    )  # fmt: skip
    assert (late.state, late.offer) == ("review", None)
    with pytest.raises(Conflict):
        claim_decide(actor=actor, claim=late, is_approved=True)
    assert "24小时" in claim_decide(actor=actor, claim=late, is_approved=False).letter


def test_second_claim_gets_only_what_is_left(claim, order, stand, actor):
    with_photos(actor, claim)
    second = claim_open(
        actor=actor, reason="spoiled", order=order, sku=stand["orange"], facts={"bad_kg": "5"}
    )
    for n, kind in enumerate(("label", "box", "goods")):
        photo_add(actor=actor, claim=second, kind=kind, data=picture(n + 20))
    second.refresh_from_db()
    assert second.offer == Decimal("69.90") + 8 - Decimal("11.18")


def test_same_file_and_same_picture_are_noticed_and_a_person_decides(claim, order, stand, actor):
    with_photos(actor, claim)
    other = claim_open(
        actor=actor, reason="missing", order=order, sku=stand["orange"],
        facts={"bad_count": 1, "total_count": 20},
    )  # fmt: skip
    same = photo_add(actor=actor, claim=other, kind="label", data=picture(1))
    smaller = photo_add(
        actor=actor, claim=other, kind="box", data=picture(2, size=(320, 240), quality=60)
    )
    assert same.findings == ["same_file"]
    assert distance(photo_read(picture(2)).dhash, photo_read(picture(3)).dhash) > 6
    other.refresh_from_db()
    assert other.outcome["approver"] == "staff"
    assert other.state == "review"
    assert smaller.sha256 != same.sha256


def test_picture_saved_again_is_the_same_picture():
    sharp, poor = photo_read(picture(4)), photo_read(picture(4, quality=30))
    assert sharp.sha256 != poor.sha256
    assert distance(sharp.dhash, poor.dhash) <= 6


def test_capture_time_and_editing_are_read(claim, actor):
    old = photo_add(
        actor=actor, claim=claim, kind="label", data=picture(7, taken="2024:05:01 08:00:00")
    )
    assert old.findings == ["older_than_order"]
    assert old.taken_at.year == 2024
    edited = photo_add(
        actor=actor, claim=claim, kind="box", data=picture(8, software="Adobe Photoshop 25")
    )
    assert "edited" in edited.findings


@pytest.mark.parametrize("data", [b"", b"GIF89a....", b"<svg onload=alert(1)>", picture(1)[:200]])
def test_what_is_no_photo_is_refused(claim, actor, data):
    with pytest.raises(Invalid):
        photo_add(actor=actor, claim=claim, kind="label", data=data)
    assert not ClaimPhoto.objects.exists()


def test_removed_photo_is_missing_again(claim, actor, django_capture_on_commit_callbacks):
    photo = photo_add(actor=actor, claim=claim, kind="label", data=picture(9))
    path = Path(settings.MEDIA_ROOT) / photo.file_key
    assert path.is_file()
    with django_capture_on_commit_callbacks(execute=True):
        photo_remove(actor=actor, claim=claim, photo_id=photo.id)
    assert not path.exists()
    claim.refresh_from_db()
    assert "photo:label" in claim.outcome["missing"]


def test_claim_keeps_the_rule_it_was_reckoned_by(claim, actor):
    claim_update(actor=actor, claim=claim, facts={"bad_kg": "4.5"})
    waiting = with_photos(actor, claim)
    rule = ClaimRule.objects.get(id=waiting.rule_id)
    made = rule_save(
        actor=actor,
        rule=rule,
        name_zh="新",
        name_en="New",
        reason="spoiled",
        terms={"formula": "none"},
        position=0,
    )
    assert made.version == rule.version + 1
    assert claim_decide(actor=actor, claim=waiting, is_approved=True).offer == Decimal("77.90")


def test_decision_can_be_taken_back(claim, actor):
    done = with_photos(actor, claim)
    again = claim_reopen(actor=actor, claim=done)
    assert again.state == "review"
    assert "11.18" not in again.letter
