"""What a run came to, seen together with what people decided."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import get_language

from apps.contracts.models import Contract, Decision, Finding, Level, ReviewRun


@dataclass(frozen=True)
class Judged:
    """A finding with the decision at its span, if there is one."""

    finding: Finding
    decision: Decision | None

    @property
    def state(self) -> str:
        return str(self.decision.state) if self.decision else Decision.State.OPEN

    @property
    def is_open(self) -> bool:
        return self.state == Decision.State.OPEN

    @property
    def assignee_id(self) -> UUID | None:
        return self.decision.assignee_id if self.decision else None

    @property
    def suggestion(self) -> str | None:
        """What the stretch should read, or should be put in: the reviewer's words, or else the rule's."""
        if self.decision and self.decision.state == Decision.State.EDITED:
            return str(self.decision.text)
        replacement: str | None = self.finding.replacement
        return replacement

    def word(self, name: str, language: str = "") -> str:
        code = language or ("zh" if (get_language() or "").startswith("zh") else "en")
        words = self.finding.words
        return str(words.get(code, {}).get(name) or words.get("zh", {}).get(name) or "")

    @property
    def title(self) -> str:
        return self.word("title")

    @property
    def message(self) -> str:
        return self.word("message")

    @property
    def advice(self) -> str:
        return self.word("advice")


def judged(run: ReviewRun, *, is_passed: bool = False) -> list[Judged]:
    """Findings in the order of the text, those about something missing at the end. Three queries."""
    rows = Finding.objects.filter(run=run, is_passed=is_passed).order_by("start", "end", "rule")
    made = Decision.objects.filter(contract_id=run.version.contract_id).select_related(
        "decided_by", "assignee"
    )
    decisions = {(d.rule, d.span_key): d for d in made}
    found = [Judged(row, decisions.get((row.rule, row.span_key))) for row in rows]
    return sorted(found, key=lambda one: not one.finding.quote)


def run_latest(contract_id: UUID) -> ReviewRun | None:
    """The newest finished review of the newest version that has one."""
    found: ReviewRun | None = (
        ReviewRun.objects.filter(version__contract_id=contract_id, state=ReviewRun.State.DONE)
        .select_related("version__contract")
        .order_by("-version__number", "-created_at")
        .first()
    )
    return found


@dataclass(frozen=True)
class Assigned:
    """What is still open for somebody in one contract."""

    contract: Contract
    found: list[Judged]


def assigned_to(user_id: Any) -> list[Assigned]:
    """In the newest finished review of each contract, those with the gravest first."""
    waiting = Decision.objects.filter(
        assignee_id=user_id, state=Decision.State.OPEN, contract__deleted_at=None
    )
    contracts = {row.contract_id: row.contract for row in waiting.select_related("contract")}
    result = []
    for contract in contracts.values():
        run = run_latest(contract.id)
        found = [one for one in judged(run) if one.is_open] if run else []
        mine = [one for one in found if one.assignee_id == user_id]
        if mine:
            result.append(Assigned(contract, mine))
    order = list(Level.values)
    return sorted(
        result, key=lambda one: min(order.index(item.finding.level) for item in one.found)
    )


def contract_recount(contract_id: UUID) -> None:
    """Under a lock, so that a review that ends does not count without the decision made at that moment."""
    Contract.objects.select_for_update().filter(id=contract_id).first()
    run = run_latest(contract_id)
    still_open = [one for one in judged(run) if one.is_open] if run else []
    levels = {one.finding.level for one in still_open}
    risk = next((level for level in Level.values if level in levels), "")
    Contract.objects.filter(id=contract_id).update(risk=risk, open_count=len(still_open))


def facts_of(run: ReviewRun) -> dict[str, Any]:
    """What a webhook tells: ids and counts, no words of the contract."""
    rows = Finding.objects.filter(run=run, is_passed=False).values_list("level", flat=True)
    levels = list(rows)
    return {
        "run_id": str(run.id),
        "contract_id": str(run.version.contract_id),
        "version": run.version.number,
        "state": run.state,
        "error_code": run.error_code,
        "findings": {level: levels.count(level) for level in Level.values},
        "dropped": run.dropped,
    }
