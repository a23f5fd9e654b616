"""Rules and outcomes as they are stored with a claim."""

from decimal import Decimal
from typing import Any

from apps.support.claiming.rules import (
    Outcome,
    Rule,
    Step,
    Terms,
)
from apps.support.models import Claim, ClaimRule


def rule_of(row: ClaimRule) -> Rule:
    terms = Terms.of_json(row.terms)
    return Rule(
        str(row.id),
        row.name_zh,
        row.name_en,
        row.reason,
        terms,
        tuple(row.categories),
        row.position,
    )


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    rule = outcome.rule
    return {
        "kind": outcome.kind,
        "goods": str(outcome.goods),
        "freight": str(outcome.freight),
        "missing": list(outcome.missing),
        "approver": outcome.approver,
        "steps": [{"code": step.code, "values": dict(step.values)} for step in outcome.steps],
        "rule": {"name_zh": rule.name_zh, "name_en": rule.name_en} if rule else None,
    }


def outcome_of(claim: Claim) -> Outcome:
    """As it was stored, with the rule as it was then."""
    data = claim.outcome
    rule = None
    if data.get("rule"):
        terms = Terms.of_json(claim.rule_terms)
        rule = Rule(str(claim.rule_id or ""), **data["rule"], reason=claim.reason, terms=terms)
    return Outcome(
        data["kind"],
        tuple(Step(step["code"], step["values"]) for step in data["steps"]),
        rule,
        Decimal(data["goods"]),
        Decimal(data["freight"]),
        tuple(data["missing"]),
        data["approver"],
    )
