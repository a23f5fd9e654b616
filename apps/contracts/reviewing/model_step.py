"""The step that puts open rules to the language model, one at a time, each kept as soon as it is answered.

A worker that dies loses the answer it waited for and no other: the next one goes on with the rules that are left.
Without money or without a server the step ends early and says why; the rest of the review stands.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from apps.contracts.asking.provision import (
    ANSWER_TOKENS,
    SHAPE,
    Verdict,
    provision_messages,
    verdict_read,
)
from apps.contracts.asking.wire import json_asked
from apps.contracts.models import Finding, ReviewRun, Strength
from apps.contracts.playbook.rules import RuleSpec
from apps.contracts.reviewing.findings import LANGUAGES, Batch, rule_name
from apps.contracts.reviewing.open_rules import OpenRule, Ruling, open_rules, ruled
from furrow.conversations.spent import turn_spent
from furrow.core.context import tenant_context, tenant_tx
from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.core.logs import get_logger
from furrow.metering.attribution import attributed

# So many calls in a row that brought nothing: the server is not well, and the rest is left.
MOST_FAILURES = 3
CONFIDENCE = 0.6
log = get_logger(__name__)


@dataclass
class Asking:
    """What the step needs of its review. `note` keeps values in the step's stage, under the job's lease."""

    run: ReviewRun
    batch: Callable[[], Batch]
    language: str
    reader: str
    types: frozenset[str]
    note: Callable[..., None]


def wanted_rules(rules: Iterable[dict[str, Any]], strength: str) -> list[RuleSpec]:
    """Findings that would not be shown are not asked for."""
    specs = [RuleSpec.of(rule) for rule in rules]
    return [spec for spec in specs if strength != Strength.RISK or spec.level == "high"]


def rules_ask(asking: Asking) -> None:
    """Outside of a transaction. Leaves the stage done, with the number of rules asked and what came of them."""
    run, contract = asking.run, asking.batch().contract
    specs = wanted_rules(run.rules, run.strength)
    rules = open_rules(contract, specs, language=asking.language, types=asking.types)
    noted = run.stages.get("model", {})
    answers: dict[str, str] = dict(noted.get("answers", {}))
    failures, reason = 0, ""
    payer = {**run.payer, "turn_id": str(run.id), "rung": "contracts"}
    with tenant_context(run.tenant_id), attributed(**payer):
        for number, rule in enumerate(rules):
            if rule.spec.key in answers:
                continue
            if failures >= MOST_FAILURES:
                reason = "unavailable"
                break
            try:
                verdict = _asked(asking, rule)
            except LimitReached:
                reason = "budget"
                break
            except UpstreamFailed as error:
                log.warning("rule_not_answered", run=str(run.id), code=error.code)
                failures += 1
                continue
            failures = 0
            answers[rule.spec.key] = _kept(asking, rule, verdict, answers, (number + 1, len(rules)))
    with tenant_tx(run.tenant_id):
        _spent_keep(run)
        asking.note(state="done", total=len(rules), done=len(answers), reason=reason)


def _asked(asking: Asking, rule: OpenRule) -> Verdict | None:
    messages = provision_messages(
        rule.spec,
        rule.passages,
        side=asking.run.side,
        language=asking.language,
        reader=asking.reader,
    )
    return verdict_read(json_asked(messages, SHAPE, max_tokens=ANSWER_TOKENS), rule.passages)


def _kept(
    asking: Asking,
    rule: OpenRule,
    verdict: Verdict | None,
    answers: dict[str, str],
    progress: tuple[int, int],
) -> str:
    """Finding and note in one transaction: a rule is either answered and kept, or asked again."""
    run = asking.run
    ruling = ruled(rule, verdict) if verdict else Ruling("unquoted")
    dropped = verdict.dropped if verdict else 0
    if ruling.change == "unquoted":
        dropped = max(dropped, 1)
    batch = asking.batch()
    if verdict:
        _rows(batch, rule, ruling, verdict)
    with tenant_tx(run.tenant_id):
        _stood_change(run, rule, ruling)
        Finding.objects.bulk_create(batch.rows, ignore_conflicts=True)
        _spent_keep(run)
        asking.note(
            state="running",
            done=progress[0],
            total=progress[1],
            answers={**answers, rule.spec.key: ruling.change},
            dropped=dropped + batch.dropped,
        )
    return ruling.change


def _stood_change(run: ReviewRun, rule: OpenRule, ruling: Ruling) -> None:
    """What the rule engine had said: gone where the model's quote shows otherwise, or told beside it."""
    rows = Finding.objects.filter(run=run, rule=rule_name(rule.spec), start=0, end=0)
    if ruling.change in {"cleared", "found"}:
        rows.delete()
    elif ruling.places:
        for row in rows:
            row.words = _with_pointer(row.words, ruling.places[0].text)
            row.save(update_fields=["words"])


def _with_pointer(words: dict[str, dict[str, str]], quote: str) -> dict[str, dict[str, str]]:
    kept = {}
    for name, code in LANGUAGES:
        with translation.override(code):
            pointer = _("The language model points to these words: “%(quote)s”") % {"quote": quote}
        said = words.get(name, {})
        kept[name] = {**said, "message": f"{said.get('message', '')} {pointer}".strip()}
    return kept


def _rows(batch: Batch, rule: OpenRule, ruling: Ruling, verdict: Verdict) -> None:
    spec = rule.spec
    for place in ruling.places:
        if ruling.change not in {"cleared", "found"}:
            return
        is_passed = ruling.change == "cleared"
        batch.add(
            rule=rule_name(spec),
            source="model",
            level=spec.level,
            is_passed=is_passed,
            start=place.start,
            end=place.end,
            quote=place.text,
            words=_words(spec, verdict, is_passed=is_passed),
            statutes=list(spec.statutes),
            confidence=CONFIDENCE,
        )


def _words(spec: RuleSpec, verdict: Verdict, *, is_passed: bool) -> dict[str, dict[str, str]]:
    """The reason is the model's, in the language it was asked for; it is shown as text beside the quote."""
    kept = {}
    for name, _language in LANGUAGES:
        kept[name] = {"title": spec.name_in(name), "message": verdict.reason}
        if not is_passed:
            kept[name]["advice"] = spec.note_in(name)
    return kept


def _spent_keep(run: ReviewRun) -> None:
    """What the ledger has of it by now."""
    spent = turn_spent(run.id, since=run.created_at)
    ReviewRun.objects.filter(id=run.id).update(
        usage=spent.usage, cost_amount=spent.amount, cost_currency=spent.currency
    )
