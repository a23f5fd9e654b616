"""What the shop shows beside a chat of the inbox, its variables of ready replies, and its table in the report."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.support.inbox import orders_named, panel
from apps.support.models import Claim, StaffRequest
from apps.support.report import claim_costs
from apps.support.services.claims import claim_link, claim_open
from apps.support.services.orders import order_upsert
from apps.support.services.requests import request_open
from furrow.assistants.services import assistant_create
from furrow.conversations.canned import canned_filled, canned_save
from furrow.conversations.models import Turn
from furrow.conversations.services import conversation_create
from furrow.core.context import tenant_tx

NUMBER = "88887777666655"


@pytest.fixture
def order(stand):
    values = {
        "number": NUMBER, "status": "shipped", "ordered_at": timezone.now() - timedelta(days=3),
        "paid_amount": "69.90", "carrier": "SF", "tracking_number": "SF99887766",
    }  # fmt: skip
    return order_upsert(
        platform="other", values=values, lines=[{"sku_code": "HN-1", "quantity": 1}]
    )


@pytest.fixture
def talk(scoped, actor):
    assistant = assistant_create(actor=actor, name="小果")
    return conversation_create(assistant=assistant, channel="widget", language="zh")


def say(talk, *texts):
    for number, text in enumerate(texts, 1):
        Turn.objects.create(conversation=talk, number=number, text=text, status="done")


def shown(talk):
    return [(str(line.label), line.text) for line in panel(talk.id, "shop")]


def test_an_order_named_in_the_chat_stands_beside_it_with_its_wishes(order, talk):
    request_open(
        order_id=order.id, kind=StaffRequest.Kind.URGE, wish="快点", conversation_id=talk.id
    )
    say(talk, "你好", f"订单 {NUMBER[:4]} {NUMBER[4:]} 到哪了")
    lines = shown(talk)
    assert NUMBER in lines[0][1]
    assert "SF99887766" in lines[0][1]
    assert NUMBER in lines[1][1]
    assert f"order={order.id}" in panel(talk.id, "shop")[-1].url


def test_a_claim_of_the_chat_replaces_the_way_to_a_new_one(order, talk, stand, actor):
    claim = claim_open(actor=actor, reason="spoiled", order=order, sku=stand["orange"], facts={})
    say(talk, "烂了两个")
    assert "claims" in panel(talk.id, "shop")[-1].url
    claim_link(claim=claim, conversation=talk)
    (line,) = panel(talk.id, "shop")
    assert line.url.endswith(f"/claims/{claim.id}/")


def test_a_number_of_another_business_names_nothing(order, talk, actor, cast):
    say(talk, f"订单 {NUMBER}")
    assert [each.id for each in orders_named(talk.id)] == [order.id]
    with tenant_tx(cast.other_tenant.id):
        theirs = assistant_create(actor=actor, name="对家")
        other = conversation_create(assistant=theirs, channel="widget")
        say(other, f"订单 {NUMBER}")
        assert orders_named(other.id) == []
        assert orders_named(talk.id) == []


def test_ready_replies_know_the_order_and_its_parcel(order, talk, actor, cast):
    ready = canned_save(actor=actor, title="物流", text_zh="订单{order}：{tracking}，{opens}")
    say(talk, f"{NUMBER}")
    filled = canned_filled(ready, conversation=talk, user=cast.owner)
    # Nobody has told the hours, so the member sees that something is missing.
    assert filled == f"订单{NUMBER}：SF SF99887766，{{opens}}"


def test_a_ready_reply_looks_up_only_what_it_asks_for(talk, actor, cast, django_assert_num_queries):
    ready = canned_save(actor=actor, title="问好", text_zh="我是{me}")
    with django_assert_num_queries(0):
        assert canned_filled(ready, conversation=talk, user=cast.owner) == "我是Owner"


def test_the_report_counts_only_what_was_approved(order, stand, actor):
    today = timezone.localdate()
    assert claim_costs(today, today) == []
    for offer, state in (("10.50", "approved"), ("99", "denied")):
        claim = claim_open(
            actor=actor, reason="spoiled", order=order, sku=stand["orange"], facts={}
        )
        Claim.objects.filter(id=claim.id).update(state=state, offer=Decimal(offer))
    (table,) = claim_costs(today, today)
    (row,) = table.rows
    assert row[1:] == ("2", "1", "10.50 CNY")
