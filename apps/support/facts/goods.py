"""Answers about goods: price, stock, season, weight, storage. Each takes the goods that are meant and returns its
sentence, a sentence that the row is too old, or None when no row knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.support.facts.naming import MOST_NAMED, Goods
from apps.support.facts.telling import Teller, day_code, is_inside


@dataclass(frozen=True)
class Part:
    text: str
    is_stale: bool = False


def price(teller: Teller, goods: Sequence[Goods]) -> Part | None:
    rows = [each for each in goods if each.row.price is not None]

    def told(each: Goods) -> str:
        amount = teller.money(each.row.price, each.row.currency)
        return teller.either(f"{_name(teller, each)} {amount}", f"{_name(teller, each)}: {amount}")

    what = teller.either("价格", "price")
    return _listed(teller, rows, told, what, lambda each: each.row.as_of, teller.limits.price_hours)


def stock(teller: Teller, goods: Sequence[Goods], newest: dict[Any, Any]) -> Part | None:
    rows = [each for each in goods if each.row.id in newest]

    def told(each: Goods) -> str:
        count = newest[each.row.id].quantity
        if not count:
            return teller.either(
                f"{_name(teller, each)} 现在没有货", f"{_name(teller, each)}: sold out"
            )
        shown, unit = teller.say(count), each.row.unit or teller.either("件", "")
        return teller.either(
            f"{_name(teller, each)} 现有{shown}{unit}", f"{_name(teller, each)}: {shown} in stock"
        )

    what = teller.either("库存", "stock")
    return _listed(
        teller, rows, told, what, lambda each: newest[each.row.id].as_of, teller.limits.stock_hours
    )


def season(teller: Teller, goods: Sequence[Goods]) -> Part | None:
    rows = [each for each in goods if each.row.seasons.all()]

    def told(each: Goods) -> str:
        return f"{_name(teller, each)}{teller.either('：', ': ')}" + teller.either("；", "; ").join(
            _window(teller, window) for window in each.row.seasons.all()
        )

    what = teller.either("季节", "season")
    return _listed(
        teller,
        rows,
        told,
        what,
        lambda each: min(window.as_of for window in each.row.seasons.all()),
        teller.limits.season_hours,
    )


def weight(teller: Teller, goods: Sequence[Goods]) -> Part | None:
    rows = [each for each in goods if each.row.net_weight_kg is not None]

    def told(each: Goods) -> str:
        kilos = teller.say(each.row.net_weight_kg)
        return teller.either(
            f"{_name(teller, each)} 净重{kilos}公斤", f"{_name(teller, each)}: {kilos} kg net"
        )

    what = teller.either("净重", "weight")
    return _listed(
        teller, rows, told, what, lambda each: each.row.as_of, teller.limits.season_hours
    )


def storage(teller: Teller, goods: Sequence[Goods]) -> Part | None:
    rows = [each for each in goods if each.row.storage.all()]

    def told(each: Goods) -> str:
        tip = each.row.storage.all()[0]
        own = tip.text_zh if teller.is_chinese else tip.text_en
        text = teller.say(own or tip.text_zh or tip.text_en)
        return f"{_name(teller, each)}{teller.either('：', ': ')}{text}"

    what = teller.either("储存方法", "storage advice")
    return _listed(
        teller,
        rows,
        told,
        what,
        lambda each: each.row.storage.all()[0].as_of,
        teller.limits.season_hours,
    )


def _listed(
    teller: Teller,
    rows: Sequence[Goods],
    told: Callable[[Goods], str],
    what: str,
    as_of: Callable[[Goods], datetime],
    hours: int,
) -> Part | None:
    """A sentence for the goods whose row is fresh; when none is, a refusal that names the age."""
    if not rows:
        return None
    fresh = [each for each in rows if teller.is_fresh(as_of(each), hours)]
    if not fresh:
        return too_old(teller, what, max(as_of(each) for each in rows))
    lines = [told(each) for each in fresh[:MOST_NAMED]]
    text = teller.either("；", "; ").join(lines)
    if len(fresh) > MOST_NAMED:
        text += teller.either(
            "。还有其他规格，请说要哪一种", "; there are more, please say which one"
        )
    return Part(f"{text}{teller.either('。', '.')}")


def too_old(teller: Teller, what: str, as_of: datetime) -> Part:
    """It must not be told, and a text that says something must not be told in its place either."""
    shown = teller.moment(as_of)
    return Part(
        teller.either(
            f"我这里的{what}是{shown}的记录，太久没有核对，为免说错就不报了。您可以回复“转人工”问工作人员。",
            f"My record of the {what} is from {shown} and was not confirmed since, so I will not quote it."
            ' Reply "talk to a person" and our team will tell you.',
        ),
        is_stale=True,
    )


def _window(teller: Teller, window: Any) -> str:
    if window.is_all_year:
        return teller.either("全年都有", "all year round")
    first, last = teller.day(window.first_day), teller.day(window.last_day)
    is_now = is_inside(day_code(teller.now), window.first_day, window.last_day)
    kinds = {
        "harvest": ("采收期", "harvested"),
        "presale": ("预售期", "pre-sale"),
        "shipping": ("发货期", "shipped"),
    }
    zh, en = kinds[window.kind]
    return teller.either(
        f"{zh}{first}至{last}，现在{'正当季' if is_now else '不在季节里'}",
        f"{en} from {first} to {last}, {'in season now' if is_now else 'not in season now'}",
    )


def _name(teller: Teller, each: Goods) -> str:
    """Its figures count as told: a size may stand in a name, and a code does."""
    name = each.row.product.name_in(teller.language)
    spec = f" {each.row.spec}" if each.row.spec and len(each.row.product.skus.all()) > 1 else ""
    return teller.say(
        f"{name}{spec}（{each.row.code}）"
        if teller.is_chinese
        else f"{name}{spec} ({each.row.code})"
    )
