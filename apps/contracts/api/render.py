"""Rows as the REST contract words them."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count

from apps.contracts import selectors
from apps.contracts.comparing import Pair
from apps.contracts.models import (
    Contract,
    ContractVersion,
    Finding,
    Inquiry,
    InquiryAnswer,
    Level,
    Obligation,
    Playbook,
    ReviewRun,
)
from apps.contracts.reviewing.estimate import Estimate
from apps.contracts.reviewing.failures import fault_message
from apps.contracts.reviewing.run import MODEL_STEP, steps_of
from furrow.metering.money import amount_text

_CHANGES = ("found", "cleared", "overruled", "distrusted", "unquoted")


def contract(row: Contract) -> dict[str, Any]:
    return {**_head(row), "version": version(selectors.version_newest(row))}


def contract_short(row: Any) -> dict[str, Any]:
    state = row.run_state or row.version_state
    return {**_head(row), "next_due": row.next_due, "state": state}


def version(row: ContractVersion) -> dict[str, Any]:
    names = (
        "number",
        "state",
        "file_name",
        "size_bytes",
        "sha256",
        "page_count",
        "language",
        "parties",
        "facts",
        "created_at",
    )
    return {**{name: getattr(row, name) for name in names}, "error": _fault(row.error_code)}


def run(row: ReviewRun) -> dict[str, Any]:
    return runs([row])[0]


def runs(rows: Sequence[ReviewRun]) -> list[dict[str, Any]]:
    """The findings of all of them are counted in one query."""
    found = Finding.objects.filter(run__in=rows).order_by()
    counts: Counter[tuple[UUID, str, bool]] = Counter()
    for run_id, level, is_passed, number in found.values_list(
        "run_id", "level", "is_passed"
    ).annotate(number=Count("id")):
        counts[run_id, level, is_passed] = number
    return [_run(row, counts) for row in rows]


def _run(row: ReviewRun, counts: Counter[tuple[UUID, str, bool]]) -> dict[str, Any]:
    playbook = row.playbook_version
    return {
        "id": row.id,
        "contract_id": row.version.contract_id,
        "version": row.version.number,
        "state": row.state,
        "side": row.side,
        "strength": row.strength,
        "playbook_id": playbook.playbook_id if playbook else None,
        "playbook_version": playbook.number if playbook else None,
        "stages": stages(row),
        "findings": {level: counts[row.id, level, False] for level in Level.values},
        "passed": sum(counts[row.id, level, True] for level in Level.values),
        "dropped": row.dropped,
        "model": model_part(row) if row.with_model else None,
        "error": _fault(row.error_code),
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }


def stages(row: ReviewRun) -> list[dict[str, Any]]:
    """Every step, also those still to come."""
    noted = [(name, row.stages.get(name, {})) for name in steps_of(row)]
    return [
        {
            "name": name,
            "state": stage.get("state", "waiting"),
            "done": stage.get("done"),
            "total": stage.get("total"),
        }
        for name, stage in noted
    ]


def model_part(row: ReviewRun) -> dict[str, Any]:
    noted = row.stages.get(MODEL_STEP, {})
    changes = Counter(noted.get("answers", {}).values())
    return {
        "asked": changes.total(),
        **{name: changes[name] for name in _CHANGES},
        "reason": noted.get("reason", ""),
        "usage": row.usage,
        "cost": amount(row.cost_amount, row.cost_currency),
    }


def estimate(found: Estimate) -> dict[str, Any]:
    cost = None if found.amount is None else amount(found.amount, found.currency)
    return {
        "has_model": True,
        "rules": found.rules,
        "input_tokens": found.input_tokens,
        "output_tokens": found.output_tokens,
        "cost": cost,
    }


def question(row: Inquiry) -> dict[str, Any]:
    names = ("id", "text", "state", "done", "total", "others", "dropped", "note", "created_at")
    return {
        **{name: getattr(row, name) for name in names},
        "answers": [_file_answer(answer) for answer in selectors.inquiry_answers(row)],
        "cost": amount(row.cost_amount, row.cost_currency),
    }


def _file_answer(row: InquiryAnswer) -> dict[str, Any]:
    return {
        "contract_id": row.contract_id,
        "title": row.contract.title,
        "version": row.version.number,
        "source": row.source,
        "lines": row.lines,
        "alike": row.alike,
    }


def amount(value: Decimal, currency: str) -> dict[str, str]:
    return {"amount": amount_text(value), "currency": currency}


def pair(row: Pair) -> dict[str, Any]:
    """Without the words of what did not change."""
    changes = [] if row.state == "same" else row.changes()
    return {
        "state": row.state,
        "head": row.head,
        "start": row.new.start if row.new else None,
        "other_start": row.old.start if row.old else None,
        "changes": [{"kind": change.kind, "text": change.text} for change in changes],
    }


def obligation(row: Obligation) -> dict[str, Any]:
    names = ("id", "what", "due_on", "who", "reckoned", "quote", "start", "end", "page", "is_done")
    values = {name: getattr(row, name) for name in names}
    return {**values, "contract_id": row.version.contract_id}


def playbook_short(row: Playbook) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "name", "kind", "starter")}


def playbook(row: Playbook) -> dict[str, Any]:
    newest = selectors.playbook_version_newest(row)
    rules = [rule.to_json() for rule in selectors.rules_of(newest)]
    return {**playbook_short(row), "version": newest.number, "rules": rules}


def _head(row: Contract) -> dict[str, Any]:
    names = ("id", "title", "kind", "side", "risk", "open_count", "created_at")
    return {name: getattr(row, name) for name in names}


def _fault(code: str) -> dict[str, str] | None:
    return {"code": code, "message": fault_message(code, "en")} if code else None
