"""A visitor writes that goods came damaged: the checklist, the claim with the chat's photos, and who decides on it."""

import hashlib
import uuid
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.utils import timezone

from apps.support.facts.damage import Damage, damage_in
from apps.support.inbox import panel
from apps.support.models import Claim, ClaimPhoto, ShopSettings
from apps.support.services.claims import claim_decide, claim_update, photo_add, photo_sort
from apps.support.services.orders import order_upsert
from furrow.assistants.ladder import Exchange, climb
from furrow.assistants.services import assistant_create, assistant_publish, assistant_update
from furrow.channels.models import Photo
from furrow.conversations import desk, turns
from furrow.conversations.models import Conversation, Draft, Ticket, TopicMode, Turn
from furrow.conversations.services import conversation_create, turn_create
from furrow.conversations.turns import TurnHandler
from furrow.core.errors import Conflict, Refused
from furrow.core.keys import file_key
from furrow.tenants.models import Membership
from furrow.tenants.services import Actor
from tests.apps.support.conftest import picture

NUMBER, TAIL = "88887777666655", "1234"


@pytest.fixture
def order(stand):
    now = timezone.now()
    values = {
        "number": NUMBER, "status": "delivered", "phone_tail": TAIL, "ordered_at": now - timedelta(days=3),
        "delivered_at": now - timedelta(hours=5), "paid_amount": "69.90", "freight": "8",
    }  # fmt: skip
    return order_upsert(
        platform="other", values=values, lines=[{"sku_code": "HN-1", "quantity": 1}]
    )


@pytest.fixture
def talk(stand, actor):
    return chat_begin(actor)


def chat_begin(actor):
    assistant = assistant_create(actor=actor, name="小果")
    return conversation_create(assistant=assistant, channel="widget", language="zh")


@pytest.fixture
def says(ask):
    """Asks the rung and does what is done once the answer is stored."""

    def said(talk, text, *history, photos=(), language="zh"):
        count = Turn.objects.filter(conversation=talk).count()
        turn = Turn.objects.create(conversation=talk, number=count + 1, text=text, status="done")
        for data in photos:
            sent(talk, turn, data)
        result = ask(text, *history, language=language, conversation_id=talk.id)
        if result.on_stored is not None:
            result.on_stored()
        return result.text

    return said


def sent(talk, turn, data):
    """As the widget keeps a photo."""
    photo_id = uuid.uuid4()
    key = file_key(talk.tenant_id, "photos", photo_id)
    path = Path(settings.MEDIA_ROOT) / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Photo.objects.create(
        id=photo_id, conversation=talk, turn=turn, file_key=key, content_type="image/jpeg", size_bytes=len(data),
        width=640, height=480, sha256=hashlib.sha256(data).hexdigest(), dhash=f"{int(hashlib.md5(data).hexdigest()[:16], 16):016x}",  # noqa: S324
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("收到的脐橙烂了好几个", Damage("spoiled")),
        ("烂了3个，一箱20个", Damage("spoiled", 3, 20)),
        ("一箱20个烂了五个怎么办", Damage("spoiled", 5, 20)),
        ("3 of the 20 oranges are rotten", Damage("spoiled", 3, 20)),
        ("my box arrived damaged", Damage("spoiled")),
        ("少发了两盒", Damage("missing", 2)),
        ("你们发错货了", Damage("wrong_item")),
        ("水果坏了怎么赔？", None),
        ("如果坏了3个能赔吗", None),
        ("What if 3 oranges are rotten?", None),
        ("0.8公斤坏果能赔多少钱", None),
        ("坏果几小时内申请售后", None),
        ("板栗多长时间内可以报坏果", None),
        ("都没坏，谢谢", None),
        ("脐橙大果多少钱", None),
    ],
)
def test_a_report_is_told_from_a_question_about_the_rules(text, found):
    assert damage_in(text) == found


def test_a_report_without_photos_gets_the_checklist_and_no_claim(talk, says):
    text = says(talk, "收到的脐橙烂了好几个")
    assert all(word in text for word in ("面单", "坏了几个", "订单号"))
    assert not Claim.objects.exists()


def test_photos_open_a_claim_for_staff_that_nobody_has_decided(order, talk, says):
    text = says(
        talk, f"烂了3个，一共20个，订单{NUMBER} 尾号{TAIL}", photos=[picture(1), picture(2)]
    )
    claim = Claim.objects.get()
    assert (claim.state, claim.conversation_id, claim.order_id) == ("evidence", talk.id, order.id)
    assert (claim.facts["bad_count"], claim.facts["total_count"]) == (3, 20)
    assert claim.facts["paid"] == "69.90"
    assert [photo.kind for photo in claim.photos.all()] == ["other", "other"]
    assert "已为您登记售后" in text
    assert not any(char.isdigit() for char in text)
    assert Ticket.objects.get().reason == "claim"
    assert Conversation.objects.get().state == "waiting"


def test_the_rules_reckon_once_a_person_has_said_what_the_photos_show(order, talk, says, actor):
    says(
        talk, f"烂了3个，一共20个，订单{NUMBER} 尾号{TAIL}", photos=[picture(n) for n in (1, 2, 3)]
    )
    claim = Claim.objects.get()
    assert claim.offer is None
    for photo, kind in zip(
        claim.photos.order_by("created_at"), ("label", "box", "goods"), strict=True
    ):
        photo_sort(actor=actor, claim=claim, photo_id=photo.id, kind=kind)
    claim.refresh_from_db()
    assert (claim.state, claim.offer) == ("approved", Decimal("10.49"))


def test_what_is_said_later_joins_the_same_claim_and_overwrites_nothing(order, talk, says, actor):
    first = says(talk, "烂了好几个", photos=[picture(1)])
    claim = Claim.objects.get()
    claim_update(actor=actor, claim=claim, facts={"bad_count": 2})
    before = Exchange("烂了好几个", first, "fact")
    says(
        talk, f"一共20个，烂了9个，订单{NUMBER} 尾号{TAIL}", before, photos=[picture(2), picture(1)]
    )
    claim.refresh_from_db()
    assert Claim.objects.count() == 1
    assert (claim.facts["bad_count"], claim.facts["total_count"]) == (2, 20)
    assert claim.order_id == order.id
    # The picture that was sent twice is there once, and does not count as news ever after.
    assert claim.photos.count() == 2
    assert "69.90" in says(talk, "脐橙大果多少钱")


def test_other_questions_are_answered_as_ever_beside_an_open_claim(order, talk, says):
    says(talk, "烂了3个", photos=[picture(1)])
    assert "69.90" in says(talk, "脐橙大果多少钱")
    assert "订单" in says(talk, f"我的订单到哪了 {NUMBER} 尾号{TAIL}")
    assert Claim.objects.get().photos.count() == 1


def test_an_order_of_somebody_else_is_not_linked(order, talk, says):
    says(talk, f"烂了3个，订单{NUMBER}，尾号9999", photos=[picture(1)])
    assert Claim.objects.get().order_id is None


def test_a_picture_alone_is_asked_about_and_then_opens_the_claim(talk, says):
    asked = says(talk, "（照片）", photos=[picture(1)])
    assert "看不了图片" in asked
    says(talk, "橙子发霉了", Exchange("（照片）", asked, "fact"))
    assert Claim.objects.get().photos.count() == 1


def test_photos_after_a_question_about_bad_fruit_are_a_report(talk, says):
    before = Exchange("水果坏了怎么赔？", "请发来照片。", "approved")
    says(talk, "（照片）", before, photos=[picture(1)])
    assert Claim.objects.get().reason == "spoiled"


def test_the_same_photo_in_another_chat_is_flagged_for_a_person(order, talk, says, actor):
    """Nobody had opened a claim for the first: the picture is known from its chat alone."""
    turn = Turn.objects.create(conversation=talk, number=1, text="hi", status="done")
    sent(talk, turn, picture(1))
    other = chat_begin(actor)
    says(other, "烂了3个", photos=[picture(1), picture(2)])
    claim = Claim.objects.get()
    assert [photo.findings for photo in claim.photos.order_by("created_at")] == [["same_file"], []]
    assert "1" in next(
        line.text for line in panel(other.id, "shop") if str(claim.number) in line.text
    )


def test_a_business_without_claim_rules_opens_none(scoped, actor, ask):
    talk = chat_begin(actor)
    assert not ask("烂了3个", conversation_id=talk.id).is_answered


def large_claim(talk, says, actor, *, paid="800"):
    """An offer above the second limit of 500."""
    says(talk, "烂了9个，一共10个", photos=[picture(n) for n in (1, 2, 3)])
    claim = Claim.objects.get()
    for photo, kind in zip(
        claim.photos.order_by("created_at"), ("label", "box", "goods"), strict=True
    ):
        photo_sort(actor=actor, claim=claim, photo_id=photo.id, kind=kind)
    claim_update(actor=actor, claim=claim, facts={"paid": paid, "delivered_at": timezone.now()})
    claim.refresh_from_db()
    return claim


def yes(claim, user, role="staff"):
    return claim_decide(
        actor=Actor.user(user), claim=claim, is_approved=True, user_id=user.id, role=role
    )


def test_a_large_offer_needs_two_people(talk, says, actor, cast):
    claim = large_claim(talk, says, actor)
    assert claim.offer == Decimal("800.00")
    assert yes(claim, cast.teammate).state == "review"
    with pytest.raises(Conflict):
        yes(claim, cast.teammate)
    with pytest.raises(Refused):
        claim_decide(actor=actor, claim=claim, is_approved=True)
    assert yes(claim, cast.owner, "owner").state == "approved"


def test_another_offer_needs_the_first_yes_anew(talk, says, actor, cast):
    claim = large_claim(talk, says, actor)
    yes(claim, cast.teammate)
    claim_update(actor=actor, claim=claim, facts={"paid": "900"})
    assert yes(claim, cast.owner, "owner").state == "review"
    assert yes(claim, cast.teammate).state == "approved"


def test_who_is_alone_in_the_business_decides_alone(talk, says, actor, cast):
    claim = large_claim(talk, says, actor)
    Membership.objects.exclude(user=cast.owner).delete()
    assert yes(claim, cast.owner, "owner").state == "approved"


def test_a_photo_that_staff_uploaded_from_the_chat_is_no_double(order, talk, says, actor):
    says(talk, "烂了3个", photos=[picture(1)])
    claim = Claim.objects.get()
    ClaimPhoto.objects.all().delete()
    assert photo_add(actor=actor, claim=claim, kind="label", data=picture(1)).findings == []


def test_a_rule_that_needs_nobody_still_needs_two_above_the_second_limit(talk, says, actor, cast):
    ShopSettings.objects.create(approve_above=Decimal(1000), two_above=Decimal(500))
    claim = large_claim(talk, says, actor)
    assert (claim.state, claim.offer) == ("review", Decimal("800.00"))


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_held_answer_that_says_a_claim_is_open_has_opened_it(talk, actor, cast, is_taken):
    """A member may send the draft as it is."""
    assistant_update(actor=actor, assistant=talk.assistant, rungs=["fact", "quoted"])
    assistant_publish(actor=actor, assistant=talk.assistant)
    TopicMode.objects.create(topic="claim", mode="draft")
    turn = turn_create(conversation=talk, text="烂了3个")
    photo = sent(talk, turn, picture(1))
    if is_taken:
        TopicMode.objects.all().delete()
    held = climb_and_store(turn, between=lambda: take(talk, cast.owner) if is_taken else None)
    assert "已为您登记售后" in held.text
    assert Claim.objects.get().photos.get().chat_photo_id == photo.id


def take(talk, user):
    desk.conversation_take(user=user, conversation=talk)


def climb_and_store(turn, *, between):
    """The steps of the job that answers, with what happens while it thinks."""
    handler = TurnHandler()
    run = Mock(tenant_id=turn.tenant_id, subject_id=turn.id)
    task = handler._begin(run)
    answer = climb(task.question, task.config, on_delta=str, on_stage=str)
    between()
    turns._store(task, answer, duration_ms=1)
    return Draft.objects.get()
