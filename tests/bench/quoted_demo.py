"""Measures the quoted rung on the demo's questions: `python tests/bench/quoted_demo.py [--list]`.

Loads the demo's files into a scratch database that is thrown away, asks every sample question and those of
`demo_fresh_questions.tsv` (other wordings, written before the weights were fitted), and prints how many were
answered rightly, wrongly or not at all, and how many out-of-scope questions were refused; apart for each tenant,
language and half (half 0 of the demo served to fit the weights). An answer is right when it holds the words of
the file that a person would open first; `demo_also_right.tsv` names the same fact in other files, counted apart.
No model server is asked: words only. `--list` names what went wrong at the default threshold.
"""

import csv
import hashlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
THRESHOLDS = (0.0, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8)
FRESH = Path(__file__).with_name("demo_fresh_questions.tsv")
ALSO_RIGHT = Path(__file__).with_name("demo_also_right.tsv")


@dataclass(frozen=True)
class Sample:
    """`expected` are alternatives; all pieces of one stand in a right answer, white space aside."""

    kind: str
    tenant: str
    language: str
    text: str
    expected: tuple[tuple[str, ...], ...]

    @property
    def is_in_scope(self) -> bool:
        return bool(self.expected)

    @property
    def half(self) -> int:
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % 2

    def holds(self, text: str, *, also: bool = False) -> bool:
        known = [*self.expected, *([also_right()[self.text]] if self._has_more(also) else [])]
        bare = "".join(text.split())
        return any(all("".join(piece.split()) in bare for piece in pieces) for pieces in known)

    def _has_more(self, also: bool) -> bool:
        return also and self.text in also_right()


@dataclass
class Asked:
    """A question with the answer at threshold 0, how sure the rung was of it, and the whole ladder's."""

    sample: Sample
    text: str
    confidence: float
    full: str
    full_text: str

    def outcome(self, threshold: float, *, also: bool = False) -> str:
        if self.confidence < threshold:
            return "refused"
        return "right" if self.sample.holds(self.text, also=also) else "wrong"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


@cache
def also_right() -> dict[str, tuple[str, ...]]:
    return {row["question"]: tuple(row["expected"].split("|")) for row in rows_of(ALSO_RIGHT)}


def samples_of(demo: Any) -> list[Sample]:
    shipped = [
        Sample("demo", demo.slug, row.language, row.text, (row.expected,) if row.expected else ())
        for row in demo.questions
    ]
    fresh = [
        Sample(
            "fresh",
            demo.slug,
            row["language"],
            row["question"],
            tuple(tuple(known.split("|")) for known in row["expected"].split("||") if known),
        )
        for row in rows_of(FRESH)
        if row["tenant"] == demo.slug
    ]
    return shipped + fresh


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
    with tenant_context(tenant_id):
        for sample in samples_of(demo):
            question = Question(sample.text, sample.language, tenant_id)
            # At the assistant's own threshold the further quotes are those that a visitor sees.
            sure = climb(question, replace(config, rungs=("quoted", "human")), ignore, ignore)
            unsure = replace(config, threshold=0.0, rungs=("quoted", "human"))
            alone = sure if sure.rung == "quoted" else climb(question, unsure, ignore, ignore)
            whole = climb(question, config, ignore, ignore)
            is_quoted = alone.rung == "quoted"
            yield Asked(
                sample=sample,
                text=alone.text if is_quoted else "",
                confidence=alone.trace[0].get("confidence", 0.0) if is_quoted else -1.0,
                full=whole.rung,
                full_text=whole.text,
            )


def ignore(_: Any) -> None:
    """Nobody follows the bench's answers."""


def report(rows: list[Asked], threshold: float) -> None:
    say("\n| threshold | right | also right | wrong | refused | out of scope refused |")
    say("|---|---|---|---|---|---|")
    for value in THRESHOLDS:
        say(f"| {value} | {figures(rows, value)} |")
    say(f"\n| part at {threshold} | right | also right | wrong | refused | out of scope refused |")
    say("|---|---|---|---|---|---|")
    keys = ("tenant", "language", "half")
    for key in keys:
        for name in sorted({getattr(row.sample, key) for row in rows}):
            part = [row for row in rows if getattr(row.sample, key) == name]
            say(f"| {key} {name} | {figures(part, threshold)} |")
    approved = [row for row in rows if row.full == "approved"]
    fitting = sum(row.sample.holds(row.full_text) for row in approved)
    say(f"\napproved answers: {len(approved)}, holding the expected words: {fitting}")


def figures(rows: list[Asked], threshold: float) -> str:
    known = [row for row in rows if row.sample.is_in_scope]
    outcomes = [row.outcome(threshold) for row in known]
    also = sum(row.outcome(threshold, also=True) == "right" for row in known)
    right, refused = outcomes.count("right"), outcomes.count("refused")
    unknown = [row for row in rows if not row.sample.is_in_scope]
    kept = sum(row.confidence < threshold for row in unknown)
    wrong = len(known) - also - refused
    return f"{right} | {also - right} | {wrong} | {refused} | {kept}/{len(unknown)}"


def list_misses(rows: list[Asked], threshold: float) -> None:
    for row in rows:
        outcome = row.outcome(threshold)
        if outcome == ("right" if row.sample.is_in_scope else "refused"):
            continue
        where = f"{row.sample.kind} {row.sample.tenant}"
        say(f"\n{outcome} {row.confidence} {where}: {row.sample.text}")
        say(f"  expected {row.sample.expected}\n  said {row.text[:200]!r}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    from tests.bench.retrieval_api import scratch_database  # noqa: PLC0415

    with scratch_database():
        from furrow.assistants.config import DEFAULT_THRESHOLD  # noqa: PLC0415
        from furrow.ops.demo.manifest import TENANTS  # noqa: PLC0415

        rows = [row for demo in TENANTS for row in answers(demo)]
        for kind in ("demo", "fresh"):
            part = [row for row in rows if row.sample.kind == kind]
            known = sum(row.sample.is_in_scope for row in part)
            say(f"\n{kind}: {known} questions of the documents, {len(part) - known} others")
            report(part, DEFAULT_THRESHOLD)
        if "--list" in sys.argv:
            list_misses(rows, DEFAULT_THRESHOLD)


if __name__ == "__main__":
    main()
