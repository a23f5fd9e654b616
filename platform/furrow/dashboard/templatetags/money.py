"""Amounts, gauges and shares in templates."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _

from furrow.conversations.models import Turn
from furrow.dashboard import money_words, news_words
from furrow.dashboard.money import money_text
from furrow.metering.models import Balance, Budget
from furrow.metering.money import amount_text

register = template.Library()
NEAR, FULL = 0.8, 1.0


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    return "–" if amount is None else money_text(amount, currency)


@register.filter
def exact_amount(amount: Decimal) -> str:
    """Of no currency: differences of several, which can only be compared with nothing."""
    return amount_text(amount)


@register.filter
def whole(number: int) -> str:
    """With separators in every language, as amounts have them."""
    return f"{number:,}"


@register.filter
def period_name(name: str) -> str:
    return money_words.period(name)


@register.filter
def price_kind(name: str) -> str:
    return money_words.price_kind(name)


@register.filter
def budget_step(name: str) -> str:
    return money_words.budget_step(name)


@register.filter
def stepped_down(turn: Turn) -> str:
    return money_words.stepped_down(turn.trace)


@register.filter
def alarm_kind(kind: str) -> str:
    return money_words.alarm_kind(kind)


@register.filter
def ledger_entry(reason: str) -> str:
    return money_words.ledger_entry(reason)


@register.filter
def hours(amount: Decimal) -> str:
    """Hours of work, with as many decimals as say something."""
    return f"{amount:,.1f}" if amount >= 10 or not amount else f"{amount:.3f}"


@register.filter
def news_event(name: str) -> str:
    return news_words.news_event(name)


@register.filter
def delivery_error(code: str) -> str:
    return news_words.delivery_error(code)


@register.filter
def share(part: float | Decimal) -> str:
    """Something is never shown as nothing."""
    if 0 < part < 0.01:
        return "<1 %"
    return f"{'−' if part < 0 else ''}{abs(round(part * 100))} %"


@register.filter
def share_width(share: float | Decimal) -> str:
    """The length of a bar in a view box a hundred wide."""
    return f"{max(0.0, min(float(share), 1.0)) * 100:.2f}"


@dataclass(frozen=True)
class Gauge:
    """Lengths out of a hundred. `tone` is what the colour says: good, warn or bad."""

    used: str
    held: str
    tone: str
    label: str
    marks: list[str]
    spent: Decimal
    cap: Decimal
    left: Decimal
    currency: str
    percent: int
    is_hard: bool


@register.inclusion_tag("components/gauge.html")
def gauge(budget: Budget, balance: Balance, name: str = "") -> dict[str, Any]:
    """How much of a limit is used. Held money counts as used: it may be spent at any moment."""
    cap = budget.cap_hard if budget.cap_hard is not None else budget.cap_soft or Decimal(0)
    used = _share(balance.posted, cap)
    held = _share(balance.held, cap)
    whole = used + held
    planned = budget.cap_soft if budget.cap_soft is not None else cap
    shown = Gauge(
        used=share_width(used),
        held=share_width(min(whole, FULL) - min(used, FULL)),
        tone="bad" if whole >= FULL else "warn" if whole >= NEAR else "good",
        label=_("%(spent)s of %(cap)s spent")
        % {
            "spent": money_text(balance.posted, budget.currency),
            "cap": money_text(cap, budget.currency),
        },
        marks=[
            share_width(_share(planned * level / 100, cap))
            for level in budget.thresholds
            if planned * level / 100 < cap
        ],
        spent=balance.posted,
        cap=cap,
        left=max(cap - balance.posted - balance.held, Decimal(0)),
        currency=budget.currency,
        percent=round(whole * 100),
        is_hard=budget.cap_hard is not None,
    )
    return {"gauge": shown, "name": name, "held": balance.held}


def _share(amount: Decimal, cap: Decimal) -> float:
    """A limit of nothing is full from the start."""
    return float(amount / cap) if cap else FULL
