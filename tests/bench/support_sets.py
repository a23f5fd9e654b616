"""Measures the shop against its written sets: `python tests/bench/support_sets.py [--list]`.

The sets and how they came about are described in tests/apps/support/sets/README.md: 80 claim cases, 200 product questions in
Chinese and English and 40 written after the rules were, 30 dirty import files, 60 wordings that ask for a person and 60
questions that are no business of the shop. The questions are asked of the real rung
over the demo's catalogue in a database that is thrown away. `--list` names what went wrong.
"""

import csv
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


def wishes() -> Iterator[Line]:
    """Wordings that ask for a person, and mentions of people that ask for something else."""
    from furrow.assistants.human_wish import wants_person  # noqa: PLC0415

    for name, what in (("person_wishes.tsv", "written"), ("person_wishes_fresh.tsv", "fresh")):
        rows = rows_of(name)
        for wants, label in (("yes", "wishes for a person heard"), ("no", "mentions left alone")):
            mine = [row["text"] for row in rows if row["wants"] == wants]
            wrong = [text for text in mine if wants_person(text) != (wants == "yes")]
            yield f"{what} {label}", len(mine) - len(wrong), len(mine), wrong


def scope() -> Iterator[Line]:
    """The demo shop's whole ladder without a model: what is beyond it must go to a person or be refused, and little
    of what it knows may be lost.
    """
    from furrow.ops.demo.manifest import TENANTS  # noqa: PLC0415
    from tests.apps.support.scope_cases import Asker  # noqa: PLC0415

    asker = Asker(next(plan for plan in TENANTS if plan.slug == "orchard"))
    beyond = [row["question"] for row in rows_of("out_of_scope.tsv")]
    told = {text: said for text in beyond if (said := asker.answered(text))}
    wrong = [f"{text} -> {said}" for text, said in told.items()]
    yield (
        "out-of-scope questions handed over or refused",
        len(beyond) - len(told),
        len(beyond),
        wrong,
    )
    good = asker.good_questions()
    lost = [text for text in good if not asker.answered(text)]
    yield "good questions answered", len(good) - len(lost), len(good), lost


def rows_of(name: str) -> list[dict[str, str]]:
    path = ROOT / "tests" / "apps" / "support" / "sets" / name
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def main() -> None:
    from tests.bench.retrieval_api import scratch_database  # noqa: PLC0415

    with scratch_database():
        for measure in (wishes, scope, claims, facts, imports):
            for label, right, total, wrong in measure():
                sys.stdout.write(f"{label}: {right} of {total} ({right / max(1, total):.3f})\n")
                if "--list" in sys.argv:
                    sys.stdout.writelines(f"    {each}\n" for each in wrong)


if __name__ == "__main__":
    main()
