"""Answers about sending: whether, how long, for how much, from the zones of the shop."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from apps.support.facts.goods import Part, too_old
from apps.support.facts.naming import Goods
from apps.support.facts.regions import region_name
from apps.support.facts.telling import Teller, day_code, is_inside, plain
from furrow.knowledge.text.folding import fold

MOST_ZONES = 6
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?)\s*(公斤|千克|kilograms?|kilos?|kgs?|斤)")


@dataclass(frozen=True)
class Zones:
    rules: Sequence[Any]
    pauses: Sequence[Any]

    def of(self, region: str) -> Any | None:
        return next((rule for rule in self.rules if region in rule.regions), None)

    def pause_of(self, region: str) -> Any | None:
        return next((pause for pause in self.pauses if region in pause.regions), None)


def fee(
    teller: Teller, zones: Zones, regions: list[str], goods: Sequence[Goods], text: str
) -> Part | None:
    if not regions:
        return _overview(teller, zones, _fee_line)
    kilos = _kilos(text) or _weight_of(goods)
    is_cold = bool(goods) and all(each.row.is_cold_chain for each in goods)
    parts = [_fee_to(teller, zones, region, kilos, is_cold=is_cold) for region in regions]
    return _joined(teller, parts)


def time(teller: Teller, zones: Zones, regions: list[str]) -> Part | None:
    if not regions:
        return _overview(teller, zones, _days_line)
    return _joined(teller, [_time_to(teller, zones, region) for region in regions])


def served(teller: Teller, zones: Zones, regions: list[str], goods: Sequence[Goods]) -> Part | None:
    is_cold = bool(goods) and all(each.row.is_cold_chain for each in goods)
    return _joined(teller, [_served(teller, zones, region, is_cold=is_cold) for region in regions])


def _fee_to(
    teller: Teller, zones: Zones, region: str, kilos: Decimal | None, *, is_cold: bool
) -> Part | None:
    rule = zones.of(region)
    stop = _stop(teller, zones, region, is_cold=is_cold)
    if stop is not None or rule is None or rule.first_fee is None:
        return stop
    place = region_name(region, teller.language)
    text = teller.either(f"发到{place}：", f"To {place}: ")
    text += _fee_line(teller, rule) or ""
    total = _total(rule, kilos)
    if total is not None and kilos is not None:
        shown = teller.money(total)
        weighed = teller.say(kilos)
        text += teller.either(f"，{weighed}公斤共{shown}", f"; {weighed} kg cost {shown} in all")
    if is_cold and rule.cold_chain_fee is not None:
        cold = teller.money(rule.cold_chain_fee)
        text += teller.either(f"，冷链包装另收{cold}", f", plus {cold} for cold-chain packing")
    return Part(text + teller.either("。", ".") + _pause_note(teller, zones, region))


def _fee_line(teller: Teller, rule: Any) -> str | None:
    if not rule.is_served or rule.first_fee is None:
        return None
    fee = teller.money(rule.first_fee)
    text = fee
    if rule.first_kg is not None:
        kilos = teller.say(rule.first_kg)
        text = teller.either(f"首{kilos}公斤运费{fee}", f"{fee} for the first {kilos} kg")
    if rule.extra_fee is not None:
        extra = teller.money(rule.extra_fee)
        text += teller.either(f"，续重每公斤{extra}", f", {extra} for each further kg")
    if rule.free_over is not None:
        free = teller.money(rule.free_over)
        text += teller.either(f"，实付满{free}包邮", f", free from {free}")
    return text


def _days_line(teller: Teller, rule: Any) -> str | None:
    if not rule.is_served or rule.days_min is None or rule.days_max is None:
        return None
    low, high = teller.say(rule.days_min), teller.say(rule.days_max)
    days = low if low == high else f"{low}–{high}"
    return teller.either(f"{days}天", f"{days} days")


def _total(rule: Any, kilos: Decimal | None) -> Decimal | None:
    """First weight and each begun kilogram above it: a sum of the row's own figures."""
    if kilos is None or rule.first_kg is None:
        return None
    above = max(Decimal(0), kilos - rule.first_kg).to_integral_value(ROUND_CEILING)
    if above and rule.extra_fee is None:
        return None
    return Decimal(rule.first_fee + above * (rule.extra_fee or 0))


def _time_to(teller: Teller, zones: Zones, region: str) -> Part | None:
    stop = _stop(teller, zones, region, is_cold=False)
    rule = zones.of(region)
    days = _days_line(teller, rule) if rule is not None else None
    if stop is not None or days is None or rule is None:
        return stop
    place = region_name(region, teller.language)
    by = teller.say(rule.carrier) if rule.carrier else ""
    text = teller.either(
        f"发到{place}{by}一般{days}送达。", f"Delivery to {place} usually takes {days}."
    )
    return Part(text + _pause_note(teller, zones, region))


def _served(teller: Teller, zones: Zones, region: str, *, is_cold: bool) -> Part | None:
    stop = _stop(teller, zones, region, is_cold=is_cold)
    if stop is not None or zones.of(region) is None:
        return stop
    place = region_name(region, teller.language)
    fee_part = _fee_to(teller, zones, region, None, is_cold=is_cold)
    days = _days_line(teller, zones.of(region))
    text = teller.either(f"{place}可以发货", f"Yes, we deliver to {place}")
    text += (
        teller.either(f"，一般{days}送达。", f", usually within {days}.")
        if days
        else teller.either("。", ".")
    )
    if fee_part is not None:
        text += teller.either("", " ") + fee_part.text
    return Part(text)


def _stop(teller: Teller, zones: Zones, region: str, *, is_cold: bool) -> Part | None:
    """Why nothing is sent there now, or that the record is too old; None when it can go."""
    rule = zones.of(region)
    if rule is None:
        return None
    place = region_name(region, teller.language)
    if not teller.is_fresh(rule.as_of, teller.limits.rules_hours):
        return too_old(teller, teller.either("运费规则", "shipping rules"), rule.as_of)
    if not rule.is_served:
        return Part(
            teller.either(f"抱歉，暂不发货到{place}。", f"Sorry, we do not deliver to {place}.")
        )
    if is_cold and not rule.is_cold_chain_served:
        return Part(
            teller.either(
                f"抱歉，冷链商品不发{place}。", f"Sorry, chilled goods are not sent to {place}."
            )
        )
    pause = zones.pause_of(region)
    if pause is None or not is_inside(day_code(teller.now), pause.first_day, pause.last_day):
        return None
    first, last = teller.day(pause.first_day), teller.day(pause.last_day)
    return Part(
        teller.either(
            f"抱歉，{first}至{last}停发{place}，现在不能发货。",
            f"Sorry, from {first} to {last} nothing is sent to {place}, so not at the moment.",
        )
    )


def _pause_note(teller: Teller, zones: Zones, region: str) -> str:
    pause = zones.pause_of(region)
    if pause is None:
        return ""
    first, last = teller.day(pause.first_day), teller.day(pause.last_day)
    return teller.either(
        f"每年{first}至{last}停发。", f" Nothing is sent there from {first} to {last}."
    )


def _overview(teller: Teller, zones: Zones, line: Any) -> Part | None:
    """All zones, when no region was named."""
    known = [
        rule
        for rule in zones.rules
        if line(Teller(teller.language, teller.limits, teller.now), rule)
    ]
    if not known or len(known) > MOST_ZONES:
        return None
    fresh = [rule for rule in known if teller.is_fresh(rule.as_of, teller.limits.rules_hours)]
    if not fresh:
        return too_old(teller, teller.either("运费规则", "shipping rules"), known[0].as_of)
    lines = []
    for rule in fresh:
        places = teller.joined(region_name(key, teller.language) for key in rule.regions)
        lines.append(f"{places}{teller.either('：', ': ')}{line(teller, rule)}")
    return Part(teller.either("；", "; ").join(lines) + teller.either("。", "."))


def _joined(teller: Teller, parts: Sequence[Part | None]) -> Part | None:
    known = [part for part in parts if part is not None]
    if not known:
        return None
    text = teller.either("", " ").join(part.text for part in known)
    return Part(text, is_stale=all(part.is_stale for part in known))


def _kilos(text: str) -> Decimal | None:
    found = _WEIGHT.search(fold(text))
    if found is None:
        return None
    kilos = Decimal(found[1]) * (Decimal("0.5") if found[2] == "斤" else 1)
    return Decimal(plain(kilos))


def _weight_of(goods: Sequence[Goods]) -> Decimal | None:
    return goods[0].row.net_weight_kg if len(goods) == 1 else None
