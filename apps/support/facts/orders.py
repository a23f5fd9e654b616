"""Answers about one order, after an identity check: its number and the last four digits of the receiver's phone.

Whether an order exists is told only to whoever knows both. Urging, a new address and cancelling become requests to
staff; nothing is done by itself, and the answer says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from apps.support.facts import intents
from apps.support.facts.goods import Part, too_old
from apps.support.facts.order_numbers import candidates, phone_tails
from apps.support.facts.telling import Teller
from apps.support.models import Order
from apps.support.services.requests import request_open
from furrow.assistants.ladder import Exchange, Question
from furrow.core.context import current_tenant_id
from furrow.core.errors import LimitReached
from furrow.core.keys import tenant_key
from furrow.core.rates import rate_check

TRIES = "10/hour"
ORDER_INTENTS = ("order", "urge", "address")
_ASK = {
    "both": (
        "为了保护您的信息，请发给我订单号和收货手机号的后四位，我马上查。",
        "To protect your data, please send me the order number and the last four digits of the receiver's phone"
        " number, and I will look it up.",
    ),
    "tail": (
        "还需要收货手机号的后四位，核对后就告诉您。",
        "I also need the last four digits of the receiver's phone number; then I can tell you.",
    ),
}
_NO_MATCH = (
    "没有查到与这个订单号和手机尾号都相符的订单，请核对后再发一次，或者回复“转人工”。",
    "No order matches this number together with these digits. Please check both and send them again, or reply"
    ' "talk to a person".',
)
_TOO_MANY = (
    "核对的次数太多了，为了安全请稍后再试，或者回复“转人工”。",
    'That were too many tries. To be safe, please try again later, or reply "talk to a person".',
)


@dataclass(frozen=True)
class OrderAnswer:
    part: Part
    on_stored: Callable[[], Any] | None = None
    opens_ticket: bool = False


def pending(history: Sequence[Exchange]) -> tuple[str, list[str]]:
    """The order question that still waits for its number or digits, and everything said since; empty when none."""
    asked = {text for texts in _ASK.values() for text in texts} | set(_NO_MATCH)
    said: list[str] = []
    for exchange in reversed(history):
        if exchange.rung != "fact" or exchange.answer not in asked:
            break
        said.insert(0, exchange.question)
    if not said:
        return "", []
    kinds = [kind for kind in intents.wanted(said[0]).intents if kind in ORDER_INTENTS]
    return (kinds or ["order"])[0], said


def order_proven(texts: Sequence[str], conversation_id: UUID) -> Order | None:
    """The order whose number stands in one of the texts and whose phone digits in one of them too."""
    numbers = next((typed for text in texts if (typed := candidates(text))), [])
    tails = [tail for text in texts for tail in phone_tails(text)]
    if not numbers or not tails:
        return None
    try:
        _count_try(numbers, conversation_id)
    except LimitReached:
        return None
    rows = Order.objects.filter(digits__in=numbers, phone_tail__in=tails).exclude(phone_tail="")
    found: Order | None = max(rows[:20], key=lambda each: len(each.digits), default=None)
    return found


def told(teller: Teller, question: Question, kind: str, said: Sequence[str]) -> OrderAnswer:
    """`said` is what was said before in the same matter, from old to new."""
    texts = [question.text, *reversed(said)]
    numbers, source = next(
        ((typed, text) for text in texts if (typed := candidates(text))), ([], "")
    )
    if not numbers:
        return OrderAnswer(Part(teller.either(*_ASK["both"])))
    found: list[Order] = list(
        Order.objects.filter(digits__in=numbers)
        .prefetch_related("shipments")
        .order_by("-ordered_at")[:20]
    )
    tails = phone_tails(question.text) or phone_tails(source)
    if not tails:
        return OrderAnswer(Part(teller.either(*_ASK["tail"])))
    try:
        _count_try(numbers, question.conversation_id)
    except LimitReached:
        return OrderAnswer(Part(teller.either(*_TOO_MANY)))
    known = [order for order in found if order.phone_tail and order.phone_tail in tails]
    if not known:
        return OrderAnswer(Part(teller.either(*_NO_MATCH)))
    order = max(known, key=lambda each: len(each.digits))
    return _status(teller, order) if kind == "order" else _request(teller, order, kind, question)


def _count_try(numbers: Sequence[str], conversation_id: UUID) -> None:
    """Against guessing the four digits: for each number that may be meant, and for the conversation."""
    tenant_id = current_tenant_id()
    for what in (*numbers[:6], str(conversation_id)):
        key = tenant_key(tenant_id, "support-order-check", what)
        rate_check(TRIES, key, message="Too many tries.")


def _status(teller: Teller, order: Order) -> OrderAnswer:
    what = teller.either("订单状态", "order's state")
    if not teller.is_fresh(order.as_of, teller.limits.order_hours):
        return OrderAnswer(too_old(teller, what, order.as_of))
    zh, en = _STATUS[order.status]
    number = teller.say(order.number)
    text = teller.either(f"订单{number}：{zh}", f"Order {number}: {en}")
    at = {"shipped": order.shipped_at, "delivered": order.delivered_at}.get(order.status)
    if at is not None:
        shown = teller.moment(at)
        text += teller.either(f"（{shown}）", f" ({shown})")
    text += teller.either("。", ".")
    if order.status in {"shipped", "delivered", "completed"}:
        text += "".join(_parcel(teller, parcel) for parcel in order.shipments.all())
    return OrderAnswer(Part(text))


_STATUS = {
    "placed": ("还没有付款", "not paid yet"),
    "paid": ("已付款，正在备货", "paid, being packed"),
    "shipped": ("已发货", "on its way"),
    "delivered": ("已签收", "delivered"),
    "completed": ("已完成", "completed"),
    "refunding": ("正在办理退款", "a refund is being worked on"),
    "refunded": ("已退款", "refunded"),
    "cancelled": ("已取消", "cancelled"),
}


def _parcel(teller: Teller, parcel: Any) -> str:
    carrier, number = teller.say(parcel.carrier), teller.say(parcel.tracking_number)
    text = teller.either(f"{carrier}运单号{number}。", f" {carrier} tracking number {number}.")
    if parcel.last_event:
        text += teller.either("最新动态：", " Last news: ") + teller.say(parcel.last_event)
        if parcel.last_event_at is not None:
            text += teller.either(
                f"（{teller.moment(parcel.last_event_at)}）",
                f" ({teller.moment(parcel.last_event_at)})",
            )
        text += teller.either("。", ".")
    return text


def _request(teller: Teller, order: Order, kind: str, question: Question) -> OrderAnswer:
    number = teller.say(order.number)
    if order.status in {"cancelled", "refunded", "completed", "delivered"}:
        return _status(teller, order)
    texts = {
        "urge": (
            f"已把订单{number}的催发请求交给工作人员。什么时候发出由他们确认，我不能代为承诺。",
            f"I have passed your wish to send order {number} sooner on to our team. They will confirm when it"
            " leaves; I cannot promise a time.",
        ),
        "address": (
            f"已把订单{number}的改地址请求交给工作人员。他们确认之前，地址没有改动。请把新地址一并发来，他们会看到这段对话。",
            f"I have passed your wish to change the address of order {number} on to our team. Nothing is changed"
            " until they confirm it. Please send the new address here too; they will see this chat.",
        ),
    }
    on_stored = partial(
        request_open,
        order_id=order.id,
        kind=kind,
        wish=question.text,
        conversation_id=question.conversation_id,
    )
    return OrderAnswer(Part(teller.either(*texts[kind])), on_stored, opens_ticket=True)
