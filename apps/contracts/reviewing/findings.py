"""What checks and rules say, as rows: each quote compared with the text once more, both languages kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from apps.contracts.checks import Finding as CheckFinding
from apps.contracts.checks import Passed, checks_run
from apps.contracts.models import Finding, ReviewRun, Strength
from apps.contracts.playbook.rules import RuleHit, RuleSpec, rule_apply
from apps.contracts.reading import Contract
from apps.contracts.reviewing.spans import SpanKeys

LANGUAGES = (("zh", "zh-hans"), ("en", "en"))


@dataclass
class Batch:
    """Rows of one step, unsaved, and how many quotes did not stand in the text."""

    run: ReviewRun
    contract: Contract
    tenant_id: UUID
    rows: list[Finding] = field(default_factory=list)
    dropped: int = 0
    _keys: SpanKeys = field(default_factory=SpanKeys)

    def add(self, **values: Any) -> None:
        """Drops a quote that is not, character by character, what stands there."""
        start, end, quote = (
            values.get(name, default) for name, default in (("start", 0), ("end", 0), ("quote", ""))
        )
        if self.contract.text[start:end] != quote:
            self.dropped += 1
            return
        if quote:
            place = self.contract.source.place_of(start)
            clause = self.contract.clause_at(start)
            values |= {
                "page": place.page,
                "paragraph": place.paragraph,
                "clause": f"{clause.label} {clause.title}".strip()[:120],
            }
        key = self._keys.of(values["rule"], quote)
        self.rows.append(Finding(tenant_id=self.tenant_id, run=self.run, span_key=key, **values))


def checks_findings(batch: Batch) -> None:
    """The checks that need neither a playbook nor a model."""
    report = checks_run(batch.contract)
    batch.dropped += report.dropped
    for found in report.findings:
        if _is_wanted(batch.run, found.level):
            batch.add(
                rule=found.rule,
                source=found.source,
                level=found.level,
                start=found.start,
                end=found.end,
                quote=found.quote,
                words=_check_words(found),
                statutes=[{"law": s.law, "article": s.article} for s in found.statutes],
                replacement=found.replacement if found.quote else None,
                confidence=found.confidence,
            )
    for passed in report.passed:
        batch.add(
            rule=passed.rule,
            source=passed.source,
            level="low",
            is_passed=True,
            words=_passed_words(passed),
        )


def rules_findings(
    batch: Batch,
    *,
    language: str,
    types: frozenset[str],
    on_progress: Callable[[int, int], None],
) -> None:
    specs = [RuleSpec.of(rule) for rule in batch.run.rules]
    for number, spec in enumerate(specs):
        outcome = rule_apply(spec, batch.contract, language=language, types=types)
        for hit in outcome.hits:
            if _is_wanted(batch.run, spec.level):
                _add_hit(batch, spec, hit)
        if not outcome.hits and outcome.has_subject:
            batch.add(
                rule=rule_name(spec),
                source="playbook",
                level=spec.level,
                is_passed=True,
                words={name: {"title": spec.name_in(name)} for name, _code in LANGUAGES},
                statutes=list(spec.statutes),
            )
        on_progress(number + 1, len(specs))


def rule_name(spec: RuleSpec) -> str:
    """Apart from the names of checks."""
    return f"rule:{spec.key}"[:60]


def _add_hit(batch: Batch, spec: RuleSpec, hit: RuleHit) -> None:
    batch.add(
        rule=rule_name(spec),
        source="playbook",
        level=spec.level,
        start=hit.start,
        end=hit.end,
        quote=batch.contract.text[hit.start : hit.end],
        anchor=hit.anchor,
        words=_rule_words(spec, hit),
        statutes=list(spec.statutes),
        replacement=hit.replacement,
    )


def _is_wanted(run: ReviewRun, level: str) -> bool:
    return run.strength != Strength.RISK or level == "high"


def _both(words: Callable[[str], dict[str, str]]) -> dict[str, dict[str, str]]:
    """In Chinese and English, so that a finding reads the same after the program's wording has changed."""
    kept = {}
    for name, code in LANGUAGES:
        with translation.override(code):
            kept[name] = words(name)
    return kept


def _check_words(found: CheckFinding) -> dict[str, dict[str, str]]:
    return _both(
        lambda _name: {
            "title": str(found.title),
            "message": found.explanation,
            "advice": found.advice,
        }
    )


def _passed_words(passed: Passed) -> dict[str, dict[str, str]]:
    return _both(lambda _name: {"title": str(passed.title)})


def _rule_words(spec: RuleSpec, hit: RuleHit) -> dict[str, dict[str, str]]:
    return _both(
        lambda name: {
            "title": spec.name_in(name),
            "message": _rule_message(spec, hit),
            "advice": spec.note_in(name),
        }
    )


def _rule_message(spec: RuleSpec, hit: RuleHit) -> str:
    if hit.start == hit.end:
        return _("The contract says nothing of this.")
    if spec.check_kind == "must_not":
        return _("This should not stand in the contract.")
    if spec.check_kind == "template":
        return _("The wording differs from ours.")
    return _("%(written)s is outside of what the rule allows.") % {"written": hit.written}


def kept_rules(rules: Iterable[RuleSpec], side: str) -> list[RuleSpec]:
    """Those that look after this side. A neutral review takes only rules that favour nobody."""
    return [rule for rule in rules if rule.side in {"neutral", side}]
