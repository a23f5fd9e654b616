"""Asks 100 written questions of shops: `python tests/bench/shop_search.py [--list]`.

Loads the papers of `shop_corpus` and the files of both demo businesses into one knowledge base of a scratch
database, through the parser as an upload would be, and asks every question of `shop_questions.tsv` (20 codes, 10 in
pinyin, 10 with a slip, the rest plain Chinese and English). A question counts when one of the first five passages
holds the expected words. Words only: no model server is asked.
"""

import csv
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).with_name("shop_corpus")
QUESTIONS = Path(__file__).with_name("shop_questions.tsv")


def questions() -> list[dict[str, str]]:
    with QUESTIONS.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def base_load() -> tuple[Any, Any]:
    """(tenant id, knowledge base) with everything read."""
    from furrow.core import jobs  # noqa: PLC0415  needs the settings
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.services.bases import knowledge_base_create  # noqa: PLC0415
    from furrow.knowledge.services.documents import document_upload  # noqa: PLC0415
    from furrow.ops.demo.manifest import TENANTS  # noqa: PLC0415
    from furrow.tenants.services import SYSTEM, tenant_create  # noqa: PLC0415

    paths = [p for p in sorted(CORPUS.iterdir()) if p.name != "README.md"]
    paths += [file.path for demo in TENANTS for file in demo.files]
    tenant = tenant_create(name="shops")
    with tenant_tx(tenant.id), ExitStack() as files:
        base = knowledge_base_create(actor=SYSTEM, name="shops")
        for path in paths:
            stream = files.enter_context(path.open("rb"))
            document_upload(actor=SYSTEM, knowledge_base=base, file=stream, file_name=path.name)
    while jobs.run_next("ingest"):
        pass
    return tenant.id, base


def is_right(text: str, expected: str) -> bool:
    bare = "".join(text.split())
    return all("".join(piece.split()) in bare for piece in expected.split("|"))


def measure(tenant_id: Any, base: Any) -> tuple[dict[str, list[bool]], list[str], list[float]]:
    from furrow.core.context import tenant_context  # noqa: PLC0415
    from furrow.knowledge.search import search  # noqa: PLC0415

    found: dict[str, list[bool]] = defaultdict(list)
    missed, times = [], []
    with tenant_context(tenant_id):
        for row in questions():
            started = time.perf_counter()
            result = search(
                knowledge_base_ids=[base.id], query=row["question"], limit=5, mode="lexical"
            )
            times.append((time.perf_counter() - started) * 1000)
            right = any(is_right(hit.text, row["expected"]) for hit in result.hits)
            found[row["kind"]].append(right)
            if not right:
                shown = [hit.text[:70] for hit in result.hits[:2]]
                missed.append(f"{row['kind']} {row['question']} {result.additions} {shown}")
    return found, missed, times


def main() -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    from tests.bench.retrieval_api import scratch_database  # noqa: PLC0415

    with scratch_database():
        found, missed, times = measure(*base_load())
    say("| kind | questions | recall@5 |\n|---|--:|--:|")
    for kind, values in found.items():
        say(f"| {kind} | {len(values)} | {sum(values) / len(values):.3f} |")
    every = [value for values in found.values() for value in values]
    say(f"| all | {len(every)} | {sum(every) / len(every):.3f} |")
    say(f"\np95 {sorted(times)[int(0.95 * len(times))]:.0f} ms")
    if "--list" in sys.argv:
        say("\n".join(missed))


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
