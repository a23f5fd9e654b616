"""Measures the checks without a model on written Chinese contracts: `python tests/bench/contract_checks.py [--each]`.

Contracts of eight kinds, five planted slips each; a slip is found when a check that may report it does. Whatever
else is reported is a false alarm; so is everything on the same contracts without slips. `--each` names what was missed in the half
that may be looked at; the other half is written in another manner, and only its totals are shown.

The second set has twenty contracts of other trades with slips planted by hand; there the starter playbook of the
contract's kind and side is applied too. `--second` names what was missed and reported beside the slips. `--cuad` counts
instead what the checks report in every eighth of CUAD's contracts, which are in use: nearly all of it is a false alarm.
"""

import json
import lzma
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
from apps.contracts.playbook.rules import rule_apply  # noqa: E402
from apps.contracts.playbook.starter import starters  # noqa: E402
from apps.contracts.reading import contract_read  # noqa: E402
from apps.contracts.reviewing.clauses import clauses_find  # noqa: E402
from apps.contracts.reviewing.findings import kept_rules  # noqa: E402
from tests.apps.contracts.written.contracts import BODIES, contract_text, parsed, planted  # noqa: E402
from tests.apps.contracts.written.second import Written, second_set  # noqa: E402

HALF = 20
CUAD = ROOT.parent / "shared" / "data" / "cuad_rest" / "cuad_rest.jsonl.xz"


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


def second(folder: Path) -> Counter[str]:
    """The same counts over the second set, and what the playbook points to in the contracts without slips."""
    count: Counter[str] = Counter()
    for one in second_set():
        found, slips = reported(one.slipped, one, folder), one.slips
        missed = [s for s in slips if not any(s.is_found_by(*hit) for hit in found)]
        checks = [hit for hit in found if not hit[0].startswith("rule:")]
        false = [hit for hit in checks if not any(s.is_found_by(*hit) for s in slips)]
        clean = reported(one.clean, one, folder)
        clean_checks = [hit for hit in clean if not hit[0].startswith("rule:")]
        pointed = [hit for hit in clean if hit[0].startswith("rule:") and hit[1]]
        count.update(slips=len(slips), found=len(slips) - len(missed), false=len(false))
        count.update(false_clean=len(clean_checks), pointed=len(pointed), contracts=1)
        if "--second" in sys.argv:
            said = [(slip.kind, slip.words) for slip in missed]
            say(f"{one.name}: missed {said}, false {false}, clean {clean_checks}, playbook {pointed}")  # fmt: skip
    return count


def reported(text: str, one: Written, folder: Path) -> list[tuple[str, str]]:
    """Rule and quote of everything that the checks and the playbook say; no quote where something is missing."""
    source = parsed(text, folder)
    contract = contract_read(source)
    found = [(f.rule, f.quote) for f in checks_run(contract).findings]
    types = frozenset(c.kind for c in clauses_find(contract, "zh", lambda done, total: None))
    for spec in kept_rules(starters()[one.kind].rules, one.side):
        for hit in rule_apply(spec, contract, language="zh", types=types).hits:
            found.append((f"rule:{spec.key}", source.text[hit.start : hit.end]))
    return found


def cuad() -> None:
    """Findings of English contracts, a contract and by rule."""
    with lzma.open(CUAD, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines][::8]
    rules: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for text in texts:
            contract = contract_read(parsed(text, Path(folder)))
            rules.update(finding.rule for finding in checks_run(contract).findings)
    say(f"CUAD: {len(texts)} contracts, {rules.total() / len(texts):.2f} findings a contract")
    say(", ".join(f"{rule} {number}" for rule, number in rules.most_common()))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    if "--cuad" in sys.argv:
        return cuad()
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
    with tempfile.TemporaryDirectory() as folder:
        count = second(Path(folder))
    contracts = count["contracts"]
    say(
        f"second set: {contracts} contracts, {count['slips']} slips, recall {count['found'] / count['slips']:.3f}, "
        f"false alarms of the checks {count['false'] / contracts:.2f} a contract, {count['false_clean'] / contracts:.2f} "
        f"without slips; the playbook points to {count['pointed'] / contracts:.2f} places a contract without slips"
    )


if __name__ == "__main__":
    main()
