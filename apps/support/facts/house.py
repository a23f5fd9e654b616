"""Answers from the rules of the house: claim windows and policies."""

from collections.abc import Sequence
from typing import Any

from apps.support.claiming.explain import words
from apps.support.claiming.rules import Terms
from apps.support.facts.goods import Part, too_old
from apps.support.facts.naming import Goods
from apps.support.facts.telling import Teller


def claim_window(
    teller: Teller, rules: Sequence[Any], goods: Sequence[Goods], text: str
) -> Part | None:
    """Of the rule for the goods named, and of the general one besides when none is named."""
    fitting = _fitting(rules, goods, text)
    if not fitting:
        return None
    fresh = [rule for rule in fitting if teller.is_fresh(rule.as_of, teller.limits.rules_hours)]
    if not fresh:
        return too_old(teller, teller.either("售后规则", "claim rules"), fitting[0].as_of)
    return Part(teller.either("", " ").join(_window(teller, rule) for rule in fresh))


def policy(teller: Teller, rows: Sequence[Any], topic: str) -> Part | None:
    row = next((row for row in rows if row.topic == topic), None)
    if row is None:
        return None
    if not teller.is_fresh(row.as_of, teller.limits.rules_hours):
        return too_old(teller, teller.either("店规", "house rules"), row.as_of)
    text = row.text_zh if teller.is_chinese else row.text_en
    return Part(teller.say(text)) if text else None


def _fitting(rules: Sequence[Any], goods: Sequence[Goods], text: str) -> list[Any]:
    reason = "spoiled"
    if any(word in text for word in ("不变软", "催不熟", "催熟", "not ripen", "stay hard", "不软")):
        reason = "not_ripening"
    elif any(word in text for word in ("缺斤", "重量", "短斤", "too light", "short weight")):
        reason = "short_weight"
    of_reason = [rule for rule in rules if rule.reason == reason and rule.terms.get("window_hours")]
    categories = {each.row.product.category for each in goods}
    named = [rule for rule in of_reason if set(rule.categories) & categories]
    general = [rule for rule in of_reason if not rule.categories]
    if goods:
        return (named or general)[:2]
    return general[:1] or of_reason[:1]


def _window(teller: Teller, rule: Any) -> str:
    terms = Terms.of_json(rule.terms)
    hours = teller.say(terms.window_hours)
    name = teller.say(rule.name_zh if teller.is_chinese else rule.name_en)
    text = teller.either(
        f"{name}：请在签收后{hours}小时内提出。",
        f"{name}: please tell us within {hours} hours of delivery.",
    )
    if terms.evidence:
        photos = words([f"photo:{kind}" for kind in terms.evidence], teller.language)
        text += teller.either(f"需要{photos}。", f" We need {photos}.")
    return text
