"""Measures the checks without a model on written Chinese contracts: `python tests/bench/contract_checks.py [--each]`.

Contracts of eight kinds, five planted slips each; a slip is found when a check that may report it does. Whatever
else is reported is a false alarm; so is everything on the same contracts without slips. `--each` names what was missed in the half
that may be looked at; the other half is written in another manner, and only its totals are shown.
"""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.test_settings")

import django  # noqa: E402

django.setup()

from apps.contracts.checks import checks_run, is_verbatim  # noqa: E402
from apps.contracts.reading import contract_read  # noqa: E402
from tests.apps.contracts.written.contracts import BODIES, contract_text, parsed, planted  # noqa: E402

HALF = 20


def measured(texts: list[tuple[str, str]], folder: Path, half: str) -> Counter[str]:
    """Counts of slips, found, false alarms, findings and verbatim quotes over (name, text)."""
    count: Counter[str] = Counter()
    for number, (name, clean) in enumerate(texts):
        text, slips = planted(name.split()[0], clean, number)
        source = parsed(text, folder)
        findings = checks_run(contract_read(source)).findings
        found = {finding.rule for finding in findings}
        expected = frozenset[str]().union(*(slip.rules for slip in slips))
        missed = [slip.name for slip in slips if not slip.rules & found]
        false = [f for f in findings if f.rule not in expected]
        count.update(
            slips=len(slips),
            found=len(slips) - len(missed),
            false=len(false),
            findings=len(findings),
        )
        count.update(verbatim=sum(is_verbatim(finding, source) for finding in findings))
        clean_source = parsed(clean, folder)
        clean_findings = checks_run(contract_read(clean_source)).findings
        count.update(false_clean=len(clean_findings))
        if "--each" in sys.argv and half == "seen":
            say(f"{name}: missed {missed}, false {[(f.rule, f.quote) for f in false]}, clean {[(f.rule, f.quote) for f in clean_findings]}")  # fmt: skip
    return count


def written(*, is_unseen: bool) -> list[tuple[str, str]]:
    kinds = list(BODIES)
    chosen = [kinds[n % len(kinds)] for n in range(HALF)]
    return [
        (f"{kind} {n}", contract_text(kind, n, is_unseen=is_unseen))
        for n, kind in enumerate(chosen)
    ]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    say(
        "| half | contracts | slips | recall | false alarms per contract | without slips | quotes verbatim |"
    )
    say("|---|--:|--:|--:|--:|--:|--:|")
    for half in ("seen", "unseen"):
        with tempfile.TemporaryDirectory() as folder:
            count = measured(written(is_unseen=half == "unseen"), Path(folder), half)
        recall, false, clean = (
            count["found"] / count["slips"], count["false"] / HALF, count["false_clean"] / HALF,
        )  # fmt: skip
        say(f"| {half} | {HALF} | {count['slips']} | {recall:.3f} | {false:.2f} | {clean:.2f} | {count['verbatim']} of {count['findings']} |")  # fmt: skip


if __name__ == "__main__":
    main()
