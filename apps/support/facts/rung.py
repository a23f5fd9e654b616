"""The `fact` rung of the shop: finds out what is asked, about what, and answers from rows or not at all."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from apps.support.facts import claims, goods, house, intents, orders, shipping
from apps.support.facts.goods import Part
from apps.support.facts.naming import Goods, named_in
from apps.support.facts.order_numbers import candidates
from apps.support.facts.regions import regions_in
from apps.support.facts.telling import Teller
from apps.support.models import Order
from apps.support.selectors import (
    claim_rules,
    newest_stock,
    policies_now,
    settings_now,
    skus_live,
    zones,
)
from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import LadderContext, Question, RungResult, answered, passed
from furrow.core.context import current_tenant_id, tenant_tx
from furrow.knowledge.text.folding import fold

# A follow-up such as "and the peaches?" is short; a long message says itself what it wants.
FOLLOW_UP_LENGTH = 24
# So few letters beside a long number ("order no.", "我的单号") say nothing else.
BARE_LETTERS = 12
_LETTERS = re.compile(r"[^\W\d_]")
_GOODS_INTENTS = frozenset({"price", "stock", "season", "weight", "storage"})
_PLACE_INTENTS = frozenset({"shipping_fee", "shipping_time", "served"})
_REST = (
    "其余的我这里没有记录，可以回复“转人工”。",
    'I have no record of the rest; reply "talk to a person".',
)


@dataclass(frozen=True)
class Asked:
    """What a message is about. `text` has what the message before it said, where the message is a follow-up."""

    intents: tuple[str, ...]
    goods: tuple[Goods, ...]
    regions: tuple[str, ...]
    text: str


class ShopFacts:
    """Registered among the facts of the platform; see `furrow.assistants.rungs.fact`."""

    name = "fact"

    def try_answer(
        self, question: Question, config: AssistantConfig, ctx: LadderContext
    ) -> RungResult:
        with tenant_tx(current_tenant_id()):
            teller = Teller(question.language, settings_now(), timezone.now())
            by_claim = claims.told(teller, question)
            if by_claim is not None:
                return _result(teller, by_claim.part, ["claim"], on_stored=by_claim.on_stored)
            by_order = _about_order(teller, question)
            if by_order is not None:
                return _result(
                    teller,
                    by_order.part,
                    ["order"],
                    on_stored=by_order.on_stored,
                    opens_ticket=by_order.opens_ticket,
                )
            catalogue = [Goods.of(sku) for sku in skus_live()]
            asked = understood(question, catalogue)
            if isinstance(asked, str):
                return passed(asked)
            parts = {intent: _part(teller, asked, intent) for intent in asked.intents}
        known = [part for part in parts.values() if part is not None]
        if not known:
            return passed("not_in_rows", intents=list(asked.intents))
        if len(known) < len(parts) and not all(part.is_stale for part in known):
            known.append(Part(teller.either(*_REST)))
        text = teller.either("", " ").join(part.text for part in known)
        is_stale = all(part.is_stale for part in known)
        return _result(teller, Part(text, is_stale), list(asked.intents))


def understood(question: Question, catalogue: Sequence[Goods]) -> Asked | str:
    """Or the reason why this is no question for the rows."""
    wanted = intents.wanted(question.text)
    if wanted.is_beyond:
        return "beyond_rows"
    asked = Asked(
        # Of an order it was asked where there are none.
        tuple(name for name in wanted.intents if name not in orders.ORDER_INTENTS),
        tuple(named_in(question.text, catalogue)),
        tuple(regions_in(question.text)),
        fold(question.text),
    )
    asked = _followed_up(question, asked, catalogue)
    if not asked.intents:
        return "not_a_fact"
    names = asked.intents
    if asked.regions and not asked.goods and "price" in names:
        # "How much to Beijing" without goods asks for the freight.
        meant = ("shipping_fee" if name == "price" else name for name in names)
        names = tuple(dict.fromkeys(meant))
    if not asked.goods:
        names = tuple(name for name in names if name not in _GOODS_INTENTS)
        if not names:
            return "no_product"
    if not asked.regions and set(names) <= _PLACE_INTENTS:
        if "served" in names or intents.names_place(question.text):
            return "no_region"
    return replace(asked, intents=names)


def _followed_up(question: Question, asked: Asked, catalogue: Sequence[Goods]) -> Asked:
    """What a short message leaves out is what the message before it was about, when that was answered from rows."""
    last = question.history[-1] if question.history else None
    if last is None or last.rung != "fact" or len(question.text) > FOLLOW_UP_LENGTH:
        return asked
    names, goods_meant, regions = asked.intents, asked.goods, asked.regions
    if not names and (goods_meant or regions):
        before = intents.wanted(last.question).intents
        names = tuple(name for name in before if name not in orders.ORDER_INTENTS)
    if not goods_meant and set(names) & _GOODS_INTENTS and not _names_something(question.text):
        goods_meant = tuple(named_in(last.question, catalogue))
    if not regions and _PLACE_INTENTS & set(names):
        regions = tuple(regions_in(last.question))
    return replace(asked, intents=names, goods=goods_meant, regions=regions)


def _names_something(text: str) -> bool:
    """Whether a follow-up names goods of its own that the catalogue does not have: those are not the ones before."""
    return bool(intents.NAMES_OTHER.search(fold(text)))


def _about_order(teller: Teller, question: Question) -> orders.OrderAnswer | None:
    wanted = intents.wanted(question.text)
    kinds = [kind for kind in wanted.intents if kind in orders.ORDER_INTENTS]
    pending, said = orders.pending(question.history)
    numbers = candidates(question.text)
    if not (kinds or pending or numbers) or not Order.objects.exists():
        # A business without orders must not ask for an order's number.
        return None
    if kinds:
        return orders.told(teller, question, kinds[0], said)
    if pending and not wanted.intents and any(char.isdigit() for char in question.text):
        return orders.told(teller, question, pending, said)
    # A bare order number is a question too. Whether we have it must not decide: that would tell.
    if numbers and not wanted.intents and len(_LETTERS.findall(question.text)) <= BARE_LETTERS:
        return orders.told(teller, question, "order", said)
    return None


def _part(teller: Teller, asked: Asked, intent: str) -> Part | None:
    if intents.is_policy(intent):
        return house.policy(teller, policies_now(), intent)
    if intent == "claim_window":
        return house.claim_window(teller, claim_rules(), asked.goods, asked.text)
    if intent == "stock":
        rows = newest_stock([each.row.id for each in asked.goods])
        return goods.stock(teller, asked.goods, rows)
    regions = list(asked.regions)
    if intent == "shipping_fee":
        return shipping.fee(teller, zones(), regions, asked.goods, asked.text)
    if intent == "shipping_time":
        return shipping.time(teller, zones(), regions)
    if intent == "served":
        return shipping.served(teller, zones(), regions, asked.goods)
    return _TELL[intent](teller, asked.goods)


_TELL: dict[str, Callable[[Teller, Sequence[Goods]], Part | None]] = {
    "price": goods.price,
    "season": goods.season,
    "weight": goods.weight,
    "storage": goods.storage,
}


def _result(
    teller: Teller,
    part: Part,
    names: list[str],
    *,
    on_stored: Callable[[], Any] | None = None,
    opens_ticket: bool = False,
) -> RungResult:
    text = part.text if part.is_stale else part.text + teller.as_of()
    if not teller.is_backed(text):
        return passed("figure_not_in_row")
    notes: dict[str, Any] = {"facts": names}
    if teller.oldest is not None:
        notes["as_of"] = teller.oldest.isoformat()
    if part.is_stale:
        notes["is_stale"] = True
    return answered(
        text,
        notes=notes,
        is_gap=part.is_stale,
        on_stored=on_stored,
        opens_ticket=opens_ticket,
    )
