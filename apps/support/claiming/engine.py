"""What a claim is worth by the rules of the house. Pure arithmetic in Decimal: no model, no clock, no database.

The order is that of a careful clerk: which rule, what speaks against it, in time, what is missing, how much,
bounded by what, and who must say yes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from apps.support.claiming.rules import Facts, Outcome, Rule, Step, Terms

CENT = Decimal("0.01")


class _Missing(Exception):
    """A figure that the formula needs and the case lacks."""

    def __init__(self, *names: str) -> None:
        super().__init__(names)
        self.names = names


def reckon(rules: Sequence[Rule], facts: Facts, *, approve_above: Decimal) -> Outcome:
    """`approve_above` is the shop's limit; a rule's own limit comes before it."""
    rule = rule_for(rules, facts)
    if rule is None:
        return Outcome("no_rule", (Step("no_rule", {"reason": facts.reason}),))
    steps = [Step("rule", {"zh": rule.name_zh, "en": rule.name_en})]
    against = _against(rule.terms, facts)
    if against is not None:
        return Outcome("denied", (*steps, against), rule)
    try:
        in_time, step = _in_time(rule.terms, facts)
        if step is not None:
            steps.append(step)
        if not in_time:
            return Outcome("denied", tuple(steps), rule)
        lacking = tuple(kind for kind in rule.terms.evidence if kind not in facts.photos)
        if lacking:
            raise _Missing(*(f"photo:{kind}" for kind in lacking))
        goods, freight, more = _amount(rule.terms, facts)
    except _Missing as missing:
        steps.append(Step("needs", {"what": ",".join(missing.names)}))
        return Outcome("needs", tuple(steps), rule, missing=missing.names)
    steps += more
    if goods == 0:
        return Outcome("denied", tuple(steps), rule)
    goods, freight, bounds = _bounded(rule.terms, facts, goods, freight)
    steps += bounds
    if goods + freight == 0:
        return Outcome("denied", tuple(steps), rule)
    approver, why = _approver(rule.terms, facts, goods + freight, approve_above)
    return Outcome("offer", (*steps, why), rule, goods, freight, approver=approver)


def rule_for(rules: Sequence[Rule], facts: Facts) -> Rule | None:
    """A rule for the category comes before one for everything, then the lower position."""
    fitting = [
        rule
        for rule in rules
        if rule.reason == facts.reason
        and (not rule.categories or facts.category in rule.categories)
    ]
    return min(fitting, key=lambda rule: (not rule.categories, rule.position), default=None)


def window_end(terms: Terms, facts: Facts) -> datetime | None:
    """The last moment a claim may come in; None when there is no limit or the delivery is unknown."""
    if terms.window_hours is None or facts.delivered_at is None:
        return None
    window = timedelta(hours=terms.window_hours)
    end = facts.delivered_at + window
    waited = facts.picked_up_at is not None and not facts.is_pickup_announced
    if waited and terms.pickup_max_hours is not None and facts.picked_up_at is not None:
        latest = facts.delivered_at + timedelta(hours=terms.pickup_max_hours)
        end = max(end, min(facts.picked_up_at + window, latest))
    return end


def _against(terms: Terms, facts: Facts) -> Step | None:
    named = [code for code in terms.exclusions if code in facts.exclusions]
    if named:
        return Step("excluded", {"what": named[0]})
    return Step("nothing_due") if terms.formula == "none" else None


def _in_time(terms: Terms, facts: Facts) -> tuple[bool, Step | None]:
    if terms.window_hours is None:
        return True, None
    end = window_end(terms, facts)
    if end is None:
        raise _Missing("delivered_at")
    values = {
        "hours": str(terms.window_hours),
        "end": end.isoformat(),
        "reported": facts.reported_at.isoformat(),
    }
    is_in_time = facts.reported_at <= end
    return is_in_time, Step("in_time" if is_in_time else "too_late", values)


def _amount(terms: Terms, facts: Facts) -> tuple[Decimal, Decimal, list[Step]]:
    """Goods, freight and how they came about."""
    paid = facts.paid
    if paid is None:
        raise _Missing("paid")
    if terms.late_days is not None:
        if facts.days_late is None:
            raise _Missing("days_late")
        values = {"days": str(facts.days_late), "limit": str(terms.late_days)}
        if facts.days_late <= terms.late_days:
            return Decimal(0), Decimal(0), [Step("not_late_enough", values)]
    if terms.formula == "full":
        freight = facts.freight if terms.is_freight_paid else Decimal(0)
        return paid, freight, [Step("full", _money(paid=paid, freight=freight))]
    if terms.formula == "percent":
        assert terms.percent is not None  # noqa: S101  checked when the rule was read
        goods = _rounded(paid * terms.percent)
        values = {**_money(paid=paid, goods=goods), "percent": _percent(terms.percent)}
        return goods, Decimal(0), [Step("percent", values)]
    if terms.formula == "sugar":
        return _by_sugar(terms, facts, paid)
    return _by_share(terms, facts, paid)


def _by_share(terms: Terms, facts: Facts, paid: Decimal) -> tuple[Decimal, Decimal, list[Step]]:
    share, step = _share(terms, facts)
    steps = [step]
    tolerated = _tolerated(terms, facts)
    if tolerated is not None and share <= tolerated:
        values = {"share": _percent(share), "limit": _percent(tolerated)}
        return Decimal(0), Decimal(0), [*steps, Step("within_tolerance", values)]
    if terms.full_from is not None and share >= terms.full_from:
        freight = facts.freight
        values = {**_money(paid=paid, freight=freight), "limit": _percent(terms.full_from)}
        return paid, freight, [*steps, Step("full_from", values)]
    if terms.is_excess_only and tolerated is not None:
        share -= tolerated
        steps.append(Step("excess", {"limit": _percent(tolerated), "share": _percent(share)}))
    goods = _rounded(share * paid)
    return goods, Decimal(0), [*steps, Step("product", _money(paid=paid, goods=goods))]


def _share(terms: Terms, facts: Facts) -> tuple[Decimal, Step]:
    """Never above 1, whatever was typed in."""
    if terms.formula == "short_weight":
        net, got = _known(facts.net_kg, "net_kg"), _known(facts.received_kg, "received_kg")
        share = max(Decimal(0), net - got) / net
        return share, Step("short_weight", {"net": f"{net:f}", "got": f"{got:f}"})
    by_weight = terms.formula == "weight_share" or (
        terms.formula == "weight_or_count" and facts.bad_kg is not None
    )
    if by_weight:
        bad, net = _known(facts.bad_kg, "bad_kg"), _known(facts.net_kg, "net_kg")
        return min(Decimal(1), bad / net), Step(
            "weight_share", {"bad": f"{bad:f}", "net": f"{net:f}"}
        )
    if facts.bad_count is None or not facts.total_count:
        lacking = {"bad_count": facts.bad_count is None, "total_count": not facts.total_count}
        raise _Missing(*(name for name, is_lacking in lacking.items() if is_lacking))
    share = min(Decimal(1), Decimal(facts.bad_count) / Decimal(facts.total_count))
    values = {"bad": str(facts.bad_count), "total": str(facts.total_count)}
    return share, Step("count_share", values)


def _tolerated(terms: Terms, facts: Facts) -> Decimal | None:
    if terms.tolerance_kg is not None:
        return terms.tolerance_kg / _known(facts.net_kg, "net_kg")
    return terms.tolerance


def _by_sugar(terms: Terms, facts: Facts, paid: Decimal) -> tuple[Decimal, Decimal, list[Step]]:
    """For each begun step below the promised sugar a percentage."""
    assert terms.sugar_from is not None  # noqa: S101  checked when the rule was read
    assert terms.sugar_step is not None  # noqa: S101
    assert terms.percent is not None  # noqa: S101
    sugar = _known(facts.sugar, "sugar", may_be_zero=True)
    values = {"sugar": f"{sugar:f}", "promised": f"{terms.sugar_from:f}"}
    if sugar >= terms.sugar_from:
        return Decimal(0), Decimal(0), [Step("sweet_enough", values)]
    steps = ((terms.sugar_from - sugar) / terms.sugar_step).to_integral_value(ROUND_CEILING)
    goods = _rounded(paid * terms.percent * steps)
    more = {**_money(paid=paid, goods=goods), "steps": f"{steps:f}"}
    return (
        goods,
        Decimal(0),
        [Step("sugar", {**values, **more, "percent": _percent(terms.percent)})],
    )


def _known(value: Decimal | None, name: str, *, may_be_zero: bool = False) -> Decimal:
    """A weight of nothing as what was promised divides by zero; it counts as unknown."""
    if value is None or (value == 0 and name == "net_kg" and not may_be_zero):
        raise _Missing(name)
    return value


def _bounded(
    terms: Terms, facts: Facts, goods: Decimal, freight: Decimal
) -> tuple[Decimal, Decimal, list[Step]]:
    """By the rule's caps, and never more than what was paid and not given back yet."""
    paid, steps = facts.paid or Decimal(0), []
    if terms.cap_share is not None and goods > (cap := _rounded(paid * terms.cap_share)):
        goods = cap
        steps.append(Step("cap_share", {"cap": f"{cap:f}", "percent": _percent(terms.cap_share)}))
    if terms.cap_amount is not None and goods > terms.cap_amount:
        goods = terms.cap_amount
        steps.append(Step("cap_amount", {"cap": f"{goods:f}"}))
    left = max(Decimal(0), paid + facts.freight - facts.already_refunded)
    if goods + freight > left:
        freight = min(freight, max(Decimal(0), left - goods))
        goods = min(goods, left)
        steps.append(Step("left", {"left": f"{left:f}", "given": f"{facts.already_refunded:f}"}))
    return goods, freight, steps


def _approver(terms: Terms, facts: Facts, total: Decimal, shop_limit: Decimal) -> tuple[str, Step]:
    limit = shop_limit if terms.approve_above is None else terms.approve_above
    if facts.is_photo_doubtful:
        return terms.approver, Step("doubtful_photo")
    values = {"total": f"{total:f}", "limit": f"{limit:f}"}
    if total > limit:
        return terms.approver, Step("above_limit", values)
    return "", Step("below_limit", values)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _money(**amounts: Decimal) -> dict[str, str]:
    return {name: f"{_rounded(amount):f}" for name, amount in amounts.items()}


def _percent(share: Decimal) -> str:
    shown = (share * 100).quantize(CENT, ROUND_HALF_UP).normalize()
    return f"{shown:f}"
