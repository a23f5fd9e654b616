"""Measures the shop against its written sets: `python tests/bench/support_sets.py [--list]`.

The sets and how they came about are described in tests/apps/support/sets/README.md: 80 claim cases, 200 product questions in
Chinese and English and 40 written after the rules were, and 30 dirty import files. The questions are asked of the real rung
over the demo's catalogue in a database that is thrown away. `--list` names what went wrong.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

Line = tuple[str, int, int, list[str]]


def claims() -> Iterator[Line]:
    from tests.apps.support.claim_cases import claim_cases  # noqa: PLC0415  after the path is set

    cases = claim_cases()
    wrong = [f"{case.id} {case.story}: {'; '.join(case.wrong())}" for case in cases if case.wrong()]
    yield "claim cases right", len(cases) - len(wrong), len(cases), wrong


def facts() -> Iterator[Line]:
    from apps.support.demo import shop_load  # noqa: PLC0415
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.tenants.services import tenant_create  # noqa: PLC0415
    from tests.apps.support.fact_cases import asked, fact_cases, shop_date_set  # noqa: PLC0415

    with tenant_tx(tenant_create(name="Orchard", slug="orchard").id):
        shop_load()
        shop_date_set()
        for name, label in (("facts.tsv", "written"), ("facts_fresh.tsv", "fresh")):
            results = asked(fact_cases(name))
            for is_absent, what in ((False, "right fact"), (True, "refused when absent")):
                mine = [pair for pair in results if pair[0].is_absent == is_absent]
                wrong = [
                    f"{case.question} -> {result.text or result.reason}"
                    for case, result in mine
                    if not case.is_right(result)
                ]
                yield f"{label} questions, {what}", len(mine) - len(wrong), len(mine), wrong


def imports() -> Iterator[Line]:
    from tests.apps.support.import_cases import dirty_files  # noqa: PLC0415
    from tests.apps.support.test_imports import CODES  # noqa: PLC0415

    files = dirty_files()
    told = {file.name: file.complaints(CODES) for file in files}
    bad = {(file.name, line) for file in files for line, _ in file.bad}
    named = {(name, line) for name, found in told.items() for line, _ in found}
    missed = sorted(f"{name} row {line}" for name, line in bad - named)
    false = sorted(f"{name} row {line}" for name, line in named - bad)
    wrong = [file.name for file in files if told[file.name] != file.bad]
    yield "bad rows named", len(bad & named), len(bad), missed
    yield "rows named wrongly", len(named - bad), len(named), false
    yield "dirty files with exactly the right reasons", len(files) - len(wrong), len(files), wrong


def main() -> None:
    from tests.bench.retrieval_api import scratch_database  # noqa: PLC0415

    with scratch_database():
        for measure in (claims, facts, imports):
            for label, right, total, wrong in measure():
                sys.stdout.write(f"{label}: {right} of {total} ({right / max(1, total):.3f})\n")
                if "--list" in sys.argv:
                    sys.stdout.writelines(f"    {each}\n" for each in wrong)


if __name__ == "__main__":
    main()
