"""Runs the checks over a contract: what they found, and what they looked at and passed."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.contracts.checks.catalogue import CHECKS
from apps.contracts.checks.finding import Check, Finding, Passed, finding_of, is_verbatim
from apps.contracts.reading import Contract


@dataclass(frozen=True)
class Report:
    """Findings in the order of the text. `dropped` had a quote that does not stand in the text."""

    findings: tuple[Finding, ...]
    passed: tuple[Passed, ...]
    dropped: int = 0


def checks_run(contract: Contract, checks: Sequence[Check] = CHECKS) -> Report:
    """A check that has nothing to look at is neither found nor passed."""
    findings: list[Finding] = []
    passed: list[Passed] = []
    dropped = 0
    if not contract.source.paragraphs:
        return Report((), ())
    for check in checks:
        if not check.applies(contract):
            continue
        hits = [finding_of(check, hit, contract.source) for hit in check.find(contract)]
        kept = [finding for finding in hits if is_verbatim(finding, contract.source)]
        dropped += len(hits) - len(kept)
        findings += kept
        if not hits:
            passed.append(Passed(check.key, "check", check.title))
    findings.sort(key=lambda finding: (finding.start, finding.end))
    return Report(tuple(findings), tuple(passed), dropped)
