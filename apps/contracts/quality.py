"""How well the reviews do, by what people decided: which rules are taken, and which only cost time."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q, Sum

from apps.contracts.models import Contract, Decision, Finding, Playbook, ReviewRun
from apps.contracts.playbook.rules import RuleSpec, rule_apply
from apps.contracts.reviewing.outcome import Judged
from apps.contracts.reviewing.source import read_of
from apps.contracts.selectors import playbook_version_newest as newest
from apps.contracts.selectors import rules_of, version_newest

_MOST_RULES = 100
# A trial answers a page: few contracts, and none that takes seconds by itself.
TRIAL_CONTRACTS = 10
TRIAL_CHARACTERS = 200_000


@dataclass(frozen=True)
class RuleRecord:
    """`taken` is accepted or edited; `wrong` are rejected as false alarms, `missed` passed although not in order."""

    rule: str
    title: str
    taken: int
    rejected: int
    wrong: int
    missed: int
    right: int

    @property
    def decided(self) -> int:
        return self.taken + self.rejected

    @property
    def share(self) -> float | None:
        return self.taken / self.decided if self.decided else None


@dataclass(frozen=True)
class Trial:
    """One rule on the newest contracts of its kind: those that break it."""

    spec: RuleSpec
    broken: list[Contract]


def summary() -> dict[str, Any]:
    """Four queries. The language model's cost is over all reviews, and for each contract that it was asked about."""
    paid = ReviewRun.objects.filter(cost_amount__gt=0).aggregate(
        cost=Sum("cost_amount"),
        currency=Max("cost_currency"),
        contracts=Count("version__contract", distinct=True),
    )
    done = ReviewRun.objects.filter(state=ReviewRun.State.DONE)
    runs = done.aggregate(count=Count("id"), dropped=Sum("dropped"))
    seconds = [
        sum(stage.get("seconds", 0) for stage in stages.values())
        for stages in done.order_by("-created_at").values_list("stages", flat=True)[:200]
    ]
    states = dict(
        Decision.objects.values_list("state")
        .annotate(count=Count("id"))
        .values_list("state", "count")
    )
    return {
        "runs": runs["count"],
        "dropped": runs["dropped"] or 0,
        "seconds": sum(seconds) / len(seconds) if seconds else None,
        "taken": states.get("accepted", 0) + states.get("edited", 0),
        "rejected": states.get("rejected", 0),
        "cost": paid["cost"],
        "currency": paid["currency"] or "",
        "cost_each": paid["cost"] / paid["contracts"] if paid["cost"] else None,
    }


def rule_records() -> list[RuleRecord]:
    """Those rejected most come first."""
    taken = Q(state__in=[Decision.State.ACCEPTED, Decision.State.EDITED])
    wrong = Q(feedback=Decision.Feedback.WRONG)
    said = Decision.objects.exclude(state=Decision.State.OPEN, feedback="")
    rows = list(
        said.values("rule")
        .annotate(
            taken=Count("id", filter=taken),
            rejected=Count("id", filter=Q(state=Decision.State.REJECTED)),
            wrong=Count("id", filter=wrong & ~Q(state=Decision.State.OPEN)),
            missed=Count("id", filter=wrong & Q(state=Decision.State.OPEN)),
            right=Count("id", filter=Q(feedback=Decision.Feedback.RIGHT)),
        )
        .order_by("-rejected", "-wrong", "-missed", "-taken", "rule")[:_MOST_RULES]
    )
    named = Finding.objects.filter(rule__in=[row["rule"] for row in rows])
    latest = named.order_by("rule", "-created_at").distinct("rule")
    titles = {row.rule: Judged(row, None).title for row in latest}
    return [RuleRecord(title=titles.get(row["rule"], row["rule"]), **row) for row in rows]


def trial(playbook: Playbook) -> tuple[list[Trial], list[Contract]]:
    """What the rules would have said of contracts that are here already; nothing is stored."""
    rows = Contract.objects.filter(deleted_at=None)
    if playbook.kind:
        rows = rows.filter(kind=playbook.kind)
    tried: list[Contract] = []
    broken: dict[str, list[Contract]] = {}
    specs = rules_of(newest(playbook))
    for contract in rows.order_by("-created_at")[:TRIAL_CONTRACTS]:
        version = version_newest(contract)
        if version.state != version.State.READY or len(version.text) > TRIAL_CHARACTERS:
            continue
        tried.append(contract)
        read, language = read_of(version), "zh" if version.language == "zh" else "en"
        types = frozenset(version.clauses.values_list("kind", flat=True))
        for spec in specs:
            if rule_apply(spec, read, language=language, types=types).hits:
                broken.setdefault(spec.key, []).append(contract)
    return [Trial(spec, broken.get(spec.key, [])) for spec in specs], tried
