"""Words for limits, prices, entries and alarms."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

_EACH = {
    "assistant": _lazy("Each assistant"),
    "key": _lazy("Each API key"),
    "member": _lazy("Each member"),
    "visitor": _lazy("Each visitor"),
}
PRICE_KINDS = {
    "in_hit": _lazy("Text read again"),
    "in_miss": _lazy("Text read"),
    "out": _lazy("Text written"),
    "reasoning": _lazy("Thinking"),
    "embed": _lazy("Reading documents and searching"),
    "rerank": _lazy("Sorting results"),
}
_ALARMS = {
    "engine": _lazy("The server counted other tokens than its receipts say"),
    "tokens": _lazy("Receipts and recorded usage differ, in tokens"),
    "receipts": _lazy("Receipts never came"),
    "balances": _lazy("Balances differ from the ledger"),
    "holds": _lazy("Money is set aside for too long"),
    "free": _lazy("Tokens were used that cost nothing"),
    "figures": _lazy("Sums of conversations differ from the conversations themselves"),
    "hours": _lazy("Hours could not be summed up"),
}
_ENTRIES = {
    "top_up": _lazy("Credit paid in"),
    "adjustment": _lazy("Adjustment"),
    "reversal": _lazy("Reversal"),
}
_STEPS = {
    "shorter": _lazy("shorter answers"),
    "cheaper": _lazy("a cheaper model"),
    "quoted": _lazy("only quotes and approved answers"),
    "approved": _lazy("only approved answers"),
    "human": _lazy("only a person"),
}
_PERIODS = {"day": _lazy("a day"), "month": _lazy("a month"), "ever": _lazy("in all")}


def stepped_down(trace: Iterable[Mapping[str, Any]]) -> str:
    """What a budget left of an answer, by the trace of its turn; empty where it left everything."""
    steps = [entry["step"] for entry in trace if isinstance(entry.get("step"), Mapping)]
    low = next((step for step in steps if step.get("name", "full") != "full"), None)
    if low is None:
        return ""
    values = {"percent": low.get("used_percent", 0), "step": budget_step(str(low["name"]))}
    return _("Budget %(percent)s %% used: %(step)s") % values


def budget_scope(budget: Any, names: Mapping[str, str]) -> str:
    """What a limit is for; `names` has those of assistants, keys and members by id."""
    if budget.scope_kind == "tenant":
        return _("The whole business")
    if budget.scope_id == "*":
        return str(_EACH[budget.scope_kind])
    if budget.scope_kind == "visitor":
        return _("Visitor %(id)s") % {"id": budget.scope_id[:8]}
    return names.get(budget.scope_id, _("Deleted"))


def period(name: str) -> str:
    return str(_PERIODS.get(name, name))


def price_kind(name: str) -> str:
    return str(PRICE_KINDS.get(name, name))


def ledger_entry(reason: str) -> str:
    return str(_ENTRIES.get(reason, reason))


def alarm_kind(kind: str) -> str:
    return str(_ALARMS.get(kind, kind))


def budget_step(name: str) -> str:
    return str(_STEPS.get(name, name))
