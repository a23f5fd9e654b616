"""Measures the quoted rung on the demo's questions: `python tests/bench/quoted_demo.py [--list]`.

Loads the demo's files into a scratch database that is thrown away, asks every sample question and prints, for
each threshold, how many questions of the documents were answered rightly, wrongly or not at all, and how many
out-of-scope questions were refused. No model server is asked: words only. `--list` names what went wrong at the
default threshold.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
THRESHOLDS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass
class Asked:
    """A question with the answer at threshold 0 and how sure the rung was of it."""

    tenant: str
    question: Any
    text: str
    confidence: float
    page: int | None
    full: str
    full_text: str

    @property
    def is_right(self) -> bool:
        return bool(self.question.holds(self.text))


def tenant_load(demo: Any) -> tuple[Any, Any]:
    """The demo tenant with its files and approved answers; (tenant id, assistant over all its bases)."""
    from furrow.assistants import services as assistants  # noqa: PLC0415
    from furrow.core import jobs  # noqa: PLC0415
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.services.bases import knowledge_base_create  # noqa: PLC0415
    from furrow.knowledge.services.documents import document_upload  # noqa: PLC0415
    from furrow.tenants.services import SYSTEM, tenant_create  # noqa: PLC0415

    tenant = tenant_create(name=demo.name_en, slug=demo.slug)
    with tenant_tx(tenant.id), ExitStack() as files:
        bases = {
            base.slug: knowledge_base_create(actor=SYSTEM, name=base.name)
            for base in demo.knowledge_bases
        }
        for file in demo.files:
            document_upload(
                actor=SYSTEM,
                knowledge_base=bases[file.knowledge_base],
                file=files.enter_context(file.path.open("rb")),
                file_name=file.name,
                title=file.title,
            )
        assistant = assistants.assistant_create(
            actor=SYSTEM,
            name=demo.name_en,
            knowledge_base_ids=[base.id for base in bases.values()],
            settings={"search": {"mode": "lexical"}},
        )
        for row in demo.approved:
            assistants.approved_answer_create(
                actor=SYSTEM,
                assistant=assistant,
                question=row.question,
                variants=list(row.variants),
                answer=row.answer,
            )
    while jobs.run_next("ingest"):
        pass
    return tenant.id, assistant


def answers(demo: Any) -> Iterator[Asked]:
    from furrow.assistants.config import AssistantConfig  # noqa: PLC0415
    from furrow.assistants.ladder import Question, climb  # noqa: PLC0415
    from furrow.core.context import tenant_context, tenant_tx  # noqa: PLC0415

    tenant_id, assistant = tenant_load(demo)
    with tenant_tx(tenant_id):
        config = AssistantConfig.of_draft(assistant)
    quoted = replace(config, threshold=0.0, rungs=("quoted", "human"))
    with tenant_context(tenant_id):
        for sample in demo.questions:
            question = Question(sample.text, sample.language, tenant_id)
            alone = climb(question, quoted, lambda _: None, lambda _: None)
            whole = climb(question, config, lambda _: None, lambda _: None)
            is_quoted = alone.rung == "quoted"
            yield Asked(
                tenant=demo.slug,
                question=sample,
                text=alone.text if is_quoted else "",
                confidence=alone.trace[0].get("confidence", 0.0) if is_quoted else -1.0,
                page=alone.citations[0].page if alone.citations else None,
                full=whole.rung,
                full_text=whole.text,
            )


def report(rows: list[Asked]) -> None:
    known = [row for row in rows if row.question.is_in_scope]
    unknown = [row for row in rows if not row.question.is_in_scope]
    print(f"{len(known)} questions of the documents, {len(unknown)} out of scope\n")  # noqa: T201
    print("| threshold | right | wrong | refused | out of scope refused |")  # noqa: T201
    print("|---|---|---|---|---|")  # noqa: T201
    for threshold in THRESHOLDS:
        said = [row for row in known if row.confidence >= threshold]
        right = sum(row.is_right for row in said)
        refused = sum(row.confidence < threshold for row in unknown)
        print(  # noqa: T201
            f"| {threshold} | {right} | {len(said) - right} | {len(known) - len(said)}"
            f" | {refused}/{len(unknown)} |"
        )
    rungs = sorted({row.full for row in rows})
    for name, group in (("in scope", known), ("out of scope", unknown)):
        counts = {rung: sum(row.full == rung for row in group) for rung in rungs}
        print(f"\nwhole ladder, {name}: {counts}")  # noqa: T201
    right = sum(row.question.holds(row.full_text) for row in known if row.full == "quoted")
    print(f"quoted and right: {right}")  # noqa: T201


def list_misses(rows: list[Asked], threshold: float) -> None:
    for row in rows:
        is_known, is_said = row.question.is_in_scope, row.confidence >= threshold
        if is_said == is_known and (row.is_right or not is_known):
            continue
        kind = ("wrong" if is_said else "refused") if is_known else "should refuse"
        print(f"\n{kind} {row.confidence} {row.tenant}: {row.question.text}")  # noqa: T201
        print(f"  expected {row.question.expected}\n  said {row.text[:200]!r}")  # noqa: T201


def main() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    from tests.bench.retrieval_api import scratch_database  # noqa: PLC0415

    with scratch_database():
        from furrow.assistants.config import DEFAULT_THRESHOLD  # noqa: PLC0415
        from furrow.ops.demo.manifest import TENANTS  # noqa: PLC0415

        rows = [row for demo in TENANTS for row in answers(demo)]
        report(rows)
        if "--list" in sys.argv:
            list_misses(rows, DEFAULT_THRESHOLD)


if __name__ == "__main__":
    main()
