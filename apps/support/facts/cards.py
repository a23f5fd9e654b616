"""The goods that a question was about, as cards beside the answer; only rows young enough to be quoted."""

from typing import Any

from django.utils import timezone

from apps.support.facts.damage import damage_named
from apps.support.facts.naming import Goods, named_in
from apps.support.facts.telling import Teller
from apps.support.selectors import newest_stock, settings_now, skus_live


def cards_of(question: str, language: str) -> list[dict[str, str]]:
    """Called inside `tenant_tx`. A question that names no goods has none, and whoever writes of spoiled ones is not
    shown what else there is to buy.
    """
    if damage_named(question) is not None:
        return []
    named = named_in(question, [Goods.of(sku) for sku in skus_live()])
    stock = newest_stock([each.row.id for each in named])
    return [_card(each.row, stock.get(each.row.id), language) for each in named]


def _card(row: Any, stock: Any, language: str) -> dict[str, str]:
    teller = Teller(language, settings_now(), timezone.now())
    card = {
        "title": row.product.name_in(language),
        "spec": row.spec,
        "code": row.code,
    }
    if row.price is not None and teller.is_fresh(row.as_of, teller.limits.price_hours):
        card["price"] = teller.money(row.price, row.currency)
    if stock is not None and teller.is_fresh(stock.as_of, teller.limits.stock_hours):
        unit = row.unit or teller.either("件", "")
        left = teller.either(f"现有{stock.quantity}{unit}", f"{stock.quantity} in stock")
        card["stock"] = left if stock.quantity else teller.either("现在没有货", "sold out")
    if teller.oldest is not None:
        card["as_of"] = teller.moment(teller.oldest)
    return card
