"""Orders: found however their number is typed, told only to whoever may know, and changed only by people."""

import pytest

from apps.support.facts.order_numbers import candidates, digits_of, phone_tails
from apps.support.models import Order, StaffRequest
from apps.support.selectors import orders_found
from apps.support.services.orders import order_upsert
from apps.support.services.requests import request_decide
from furrow.assistants.ladder import Exchange
from furrow.assistants.services import assistant_create
from furrow.conversations.models import Ticket
from furrow.conversations.services import conversation_create
from furrow.core.errors import Conflict

TAOBAO = "2417730012345678901"


@pytest.mark.parametrize(
    "typed",
    [
        TAOBAO,
        f"订单号：{TAOBAO}",
        f"订单编号#{TAOBAO}。",
        "２４１７７３００１２３４５６７８９０１",
        "2417 7300 1234 5678 901",
        "2417-7300-1234-5678-901",
        f"我的单子TB{TAOBAO}到哪了",
        f"order no. {TAOBAO}, please",
        f"{TAOBAO} 6612",
        f"{TAOBAO}，手机尾号6612",
        f"13800006612 {TAOBAO}",
    ],
)
def test_number_is_found_however_it_is_typed(typed):
    assert TAOBAO in candidates(typed)


def test_number_with_letters_and_dashes_is_found():
    assert digits_of("QH20261118-007") in candidates("qh 20261118 007 还没到")
    assert "261120302918877665544" in candidates("拼多多261120-302918877665544")


def test_message_full_of_figures_makes_few_look_ups():
    assert len(candidates("12 34 " * 300)) <= 60


@pytest.mark.parametrize(
    ("text", "tails"),
    [
        (f"{TAOBAO} 6612", ["6612"]),
        (f"{TAOBAO}尾号6612", ["6612"]),
        (f"订单{TAOBAO} 手机138 0000 6612", ["6612"]),
        ("last four 6612", ["6612"]),
        (f"{TAOBAO}", []),
        ("2417 7300 1234 5678 901", []),
        ("2026年11月的", ["2026"]),
    ],
)
def test_phone_digits_are_told_from_the_number(text, tails):
    assert phone_tails(text) == tails


def test_state_is_told_to_whoever_knows_number_and_phone(orders, ask):
    text = ask(f"{TAOBAO} 6612 到哪了").text
    assert "已发货" in text
    assert "SF1407712345678" in text
    assert "截至" in text


def test_nothing_is_told_without_the_right_digits(orders, ask):
    unknown = ask("9999888877776666555 6612 到哪了").text
    wrong = ask(f"{TAOBAO} 6613 到哪了").text
    assert wrong == unknown
    assert "SF14" not in wrong
    asked = ask(f"{TAOBAO} 到哪了").text
    assert asked == ask("9999888877776666555 到哪了").text  # not even that the order exists
    assert "后四位" in asked


def test_number_and_digits_may_come_one_after_the_other(orders, ask):
    first = ask("我的订单到哪了")
    second = ask(TAOBAO, Exchange("我的订单到哪了", first.text, "fact"))
    history = [
        Exchange("我的订单到哪了", first.text, "fact"),
        Exchange(TAOBAO, second.text, "fact"),
    ]
    assert "后四位" in second.text
    assert "已发货" in ask("6612", *history).text


def test_bare_number_is_taken_alike_whether_it_is_known_or_not(orders, ask):
    assert ask(TAOBAO).text == ask("9999888877776666555").text
    assert not ask("你们的营业执照编号是不是91360000123456789X，请确认一下真伪").is_answered


def test_business_without_orders_asks_for_no_number(stand, ask):
    assert not ask("我的订单到哪了").is_answered
    assert not ask("Where is my file?", language="en").is_answered


def test_guessing_ends_soon(orders, ask):
    for digits in range(10):
        ask(f"{TAOBAO} 000{digits} 到哪了")
    assert "SF14" not in ask(f"{TAOBAO} 6612 到哪了").text


def test_order_with_an_unknown_phone_is_told_to_nobody(orders, ask):
    Order.objects.update(phone_tail="")
    assert "没有查到" in ask(f"{TAOBAO} 0000 到哪了").text


def test_wish_becomes_a_request_and_a_ticket_and_changes_nothing(orders, ask, actor):
    assistant = assistant_create(actor=actor, name="a", knowledge_base_ids=[])
    conversation = conversation_create(assistant=assistant, channel="api")
    number = "6929100200300400500"
    answer = ask(f"帮我改一下地址 {number} 7755", conversation_id=conversation.id)
    assert "没有改动" in answer.text
    assert answer.opens_ticket
    assert not StaffRequest.objects.exists()  # nothing is written before the answer is stored
    answer.on_stored()
    answer.on_stored()
    request = StaffRequest.objects.get()
    assert (request.kind, request.state, request.order.status) == ("address", "open", "paid")
    assert number in Ticket.objects.get().note
    request_decide(actor=actor, request=request, is_done=False, note="已发出")
    with pytest.raises(Conflict):
        request_decide(actor=actor, request=request, is_done=True)


def test_urging_promises_nothing(orders, ask):
    answer = ask("催一下发货 6929100200300400500 尾号7755")
    assert "不能代为承诺" in answer.text
    assert answer.on_stored is not None


def test_upsert_keeps_what_is_not_given(orders):
    order = order_upsert(platform="taobao", values={"number": TAOBAO, "status": "delivered"})
    assert (order.status, order.phone_tail) == ("delivered", "6612")
    assert order.shipments.count() == 1
    assert Order.objects.filter(number=TAOBAO).count() == 1


def test_staff_find_an_order_by_number_parcel_or_phone(orders):
    for query in (TAOBAO, "2417 7300 1234 5678 901", "SF1407712345678", "6612", "12345678901"):
        assert [order.number for order in orders_found(query)] == [TAOBAO], query
