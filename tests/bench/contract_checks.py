"""Measures the checks without a model on written Chinese contracts: `python tests/bench/contract_checks.py [--each]`.

Contracts of eight kinds, five planted slips each; a slip is found when a check that may report it does. Whatever
else is reported is a false alarm; so is everything on the same contracts without slips. `--each` names what was missed.
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

CONTRACTS = 40


def measured(texts: list[tuple[str, str]], folder: Path) -> Counter[str]:
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
        if "--each" in sys.argv:
            say(f"{name}: missed {missed}, false {[(f.rule, f.quote) for f in false]}, clean {[(f.rule, f.quote) for f in clean_findings]}")  # fmt: skip
    return count


def written() -> list[tuple[str, str]]:
    kinds = list(BODIES)
    return [
        (f"{kinds[n % len(kinds)]} {n}", contract_text(kinds[n % len(kinds)], n))
        for n in range(CONTRACTS)
    ]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        texts = written()
        count = measured(texts, Path(folder))
    total = len(texts)
    say(f"{total} contracts, {count['slips']} planted slips")
    say(f"recall {count['found'] / count['slips']:.3f}")
    say(f"false alarms per contract {count['false'] / total:.2f}, without slips {count['false_clean'] / total:.2f}")  # fmt: skip
    say(f"quotes verbatim on their page {count['verbatim']} of {count['findings']}")


if __name__ == "__main__":
    main()
