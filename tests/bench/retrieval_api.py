"""Measures retrieval on two public sets: `python tests/bench/retrieval_api.py [--scratch] [--timed] [cmrc] [stard]`.

Creates a scratch tenant in the current database (or with --scratch in an embedded one that is thrown away),
loads each collection with the code of `load_jsonl`, asks every question and prints a Markdown table. Each question
is asked twice: timed for the first ten, then for a hundred, which --timed leaves out. With
FURROW_URL and FURROW_API_KEY the questions go through the REST search of that running instance, else through
`search()`. The data folder is FURROW_DATA_DIR, or shared/data beside the checkout.
"""

import atexit
import json
import lzma
import math
import os
import re
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FURROW_DATA_DIR") or ROOT.parent / "shared" / "data")
LIMIT, DEEP = 10, 100


@dataclass
class Collection:
    """`questions` are (text, ids of the right passages)."""

    name: str
    lines: list[str]
    questions: list[tuple[str, set[str]]]


@dataclass
class Result:
    name: str
    texts: int
    questions: int
    recall_5: float
    recall_10: float
    recall_100: float | None
    ndcg_10: float
    p50_ms: float
    p95_ms: float
    load_s: float
    peak_mb: float


def cmrc() -> Collection:
    path = DATA / "cmrc2018_trial" / "cmrc2018_trial.squad.json.xz"
    with lzma.open(path, "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    lines, questions = [], []
    for article in articles:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            lines.append(_line(paragraph["id"], paragraph["id"], text))
            questions += [(qa["question"], {paragraph["id"]}) for qa in paragraph["qas"]]
    return Collection("cmrc2018_trial", lines, questions)


def stard() -> Collection:
    """The training questions over the stand-in collection that the data's README describes."""
    folder = DATA / "stard_train"
    lines: list[str] = []
    names, bodies = set(), set()
    laws = list(_rows(DATA / "laws_zh" / "laws_articles.jsonl.xz"))
    headings = _headings(laws)

    def add(key: str, name: str, text: str) -> None:
        names.add(_plain_name(name))
        bodies.add(_plain_text(text))
        under = headings.get(_plain_name(name)) or headings.get(_plain_text(text), [])
        lines.append(_line(key, name, text, under))

    for row in _rows(folder / "articles.jsonl.xz"):
        add(f"stard-{row['id']}", row["name"], row["text"])
    for number, row in enumerate(laws):
        name, text = row["law"] + row["article"], row["text"]
        is_known = _plain_name(name) in names or _plain_text(text) in bodies
        if row["latest"] and not is_known and len(text) >= 5:
            add(f"law-{number}", name, text)
    gold: dict[str, set[str]] = {}
    for line in (folder / "qrels.train.tsv").read_text("utf-8").splitlines():
        question, _, article, _ = line.split("\t")
        gold.setdefault(question, set()).add(f"stard-{article}")
    asked = (folder / "train.query.txt").read_text("utf-8").splitlines()
    questions = [(text, gold[key]) for key, text in (line.split("\t", 1) for line in asked)]
    return Collection("stard_train", lines, questions)


def _headings(laws: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The headings of each article, by its name and by its text."""
    found: dict[str, list[str]] = {}
    for row in laws:
        if row["latest"]:
            path = [part for part in (row["part"], *row["path"].split(" / ")) if part]
            found.setdefault(_plain_name(row["law"] + row["article"]), path)
            found.setdefault(_plain_text(row["text"]), path)
    return found


def _plain_name(name: str) -> str:
    return name.replace("中华人民共和国", "")


def _plain_text(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _line(external_id: str, title: str, text: str, headings: Sequence[str] = ()) -> str:
    row = {"external_id": external_id, "title": title, "text": text, "headings": list(headings)}
    return json.dumps(row)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@contextmanager
def scratch_database() -> Iterator[None]:
    """An embedded PostgreSQL of its own, prepared as in production; gone afterwards."""
    from furrow.ops import embedded  # noqa: PLC0415  after the source root is on the path

    folder = Path(tempfile.mkdtemp(prefix="furrow-bench-"))
    # Registered before the server registers its own stop, hence run after it.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    superuser = embedded.postgres_start(folder / "postgres")
    embedded.database_ensure(superuser, "bench")
    owner = superuser.replace("/postgres?", "/bench?")
    os.environ["DATABASE_OWNER_URL"] = owner
    os.environ["DATABASE_URL"] = owner.replace("//postgres@", "//furrow_app@")
    django_start()
    from django.core.management import call_command  # noqa: PLC0415  needs the settings
    from django.db import connections  # noqa: PLC0415

    from furrow.core import jobs, security  # noqa: PLC0415

    # Nobody waits at the door: a bench runs its jobs by hand.
    jobs.ring = lambda lane: None

    security.ensure_roles(connections["owner"], app_role="furrow_app")
    call_command("migrate", database="owner", verbosity=0)
    yield
    connections.close_all()


def django_start() -> None:
    import django  # noqa: PLC0415  the environment comes first

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()


class Bench:
    """A knowledge base to fill and a way to ask it."""

    def __init__(self, name: str) -> None:
        self.url, self.key = os.environ.get("FURROW_URL"), os.environ.get("FURROW_API_KEY")
        if self.url and self.key:
            self.http = httpx.Client(
                base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=30
            )
            self.base_id, self.tenant_id = self._base_over_rest(name)
            self.ask: Callable[[str, int], list[str]] = self._ask_over_rest
        else:
            self.base_id, self.tenant_id = self._base_in_database(name)
            self.ask = self._ask_in_process

    def _base_over_rest(self, name: str) -> tuple[UUID, UUID]:
        from furrow.core.context import unscoped  # noqa: PLC0415
        from furrow.knowledge.models import KnowledgeBase  # noqa: PLC0415

        answer = self.http.post("/api/v1/knowledge-bases", json={"name": name}).raise_for_status()
        base_id = UUID(answer.json()["id"])
        with unscoped("find the tenant of a knowledge base for a measurement"):
            return base_id, KnowledgeBase.objects.get(id=base_id).tenant_id

    def _base_in_database(self, name: str) -> tuple[UUID, UUID]:
        from furrow.core.context import tenant_tx  # noqa: PLC0415
        from furrow.knowledge.services.bases import knowledge_base_create  # noqa: PLC0415
        from furrow.tenants.services import SYSTEM, tenant_create  # noqa: PLC0415

        tenant = tenant_create(name=f"bench {name}")
        with tenant_tx(tenant.id):
            return knowledge_base_create(actor=SYSTEM, name=name).id, tenant.id

    def _ask_over_rest(self, query: str, limit: int) -> list[str]:
        if not query.strip():
            return []  # two questions of the reading set are empty, which the API refuses
        path = f"/api/v1/knowledge-bases/{self.base_id}/search"
        answer = self.http.post(path, json={"query": query, "limit": limit}).raise_for_status()
        return [hit["external_id"] for hit in answer.json()["results"]]

    def _ask_in_process(self, query: str, limit: int) -> list[str]:
        from furrow.core.context import tenant_context  # noqa: PLC0415
        from furrow.knowledge.search import search  # noqa: PLC0415

        with tenant_context(self.tenant_id):
            found = search(knowledge_base_ids=[self.base_id], query=query, limit=limit)
        return [hit.external_id for hit in found.hits]

    def load(self, lines: list[str]) -> float:
        from furrow.knowledge.loading import Loader  # noqa: PLC0415

        started = time.perf_counter()
        report = Loader(self.tenant_id, self.base_id).load(lines, is_embedding=False)
        if report.bad_lines:
            raise SystemExit(f"bad lines: {report.bad_lines[:5]}")
        self._compacted()
        return time.perf_counter() - started

    def _compacted(self) -> None:
        """Runs the merge of the index segments, or waits for a worker that has taken it."""
        from furrow.core import jobs  # noqa: PLC0415
        from furrow.core.context import tenant_tx  # noqa: PLC0415
        from furrow.core.models import Job  # noqa: PLC0415

        for _ in range(600):
            with tenant_tx(self.tenant_id):
                if not Job.active().filter(subject_id=self.base_id).exists():
                    return
            if self.url or not jobs.run_next("ingest"):
                time.sleep(0.5)


def measure(collection: Collection, *, is_deep: bool) -> Result:
    bench = Bench(collection.name)
    load_s = bench.load(collection.lines)
    for question, _ in collection.questions[:20]:
        bench.ask(question, LIMIT)
    recalls: dict[int, list[float]] = {5: [], 10: [], 100: []}
    gains, times = [], []
    for question, gold in collection.questions:
        started = time.perf_counter()
        found = list(dict.fromkeys(bench.ask(question, LIMIT)))
        times.append((time.perf_counter() - started) * 1000)
        deep = list(dict.fromkeys(bench.ask(question, DEEP))) if is_deep else []
        for depth, values in recalls.items():
            shown = set((found if depth <= LIMIT else deep)[:depth])
            values.append(len(gold & shown) / len(gold))
        gains.append(_ndcg(found, gold))
    cuts = statistics.quantiles(times, n=100)
    return Result(
        name=collection.name,
        texts=len(collection.lines),
        questions=len(collection.questions),
        recall_5=statistics.fmean(recalls[5]),
        recall_10=statistics.fmean(recalls[10]),
        recall_100=statistics.fmean(recalls[100]) if is_deep else None,
        ndcg_10=statistics.fmean(gains),
        p50_ms=cuts[49],
        p95_ms=cuts[94],
        load_s=load_s,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _ndcg(found: list[str], gold: set[str]) -> float:
    gain = sum(1 / math.log2(place + 2) for place, key in enumerate(found[:10]) if key in gold)
    return gain / sum(1 / math.log2(place + 2) for place in range(min(len(gold), 10)))


def _told(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def table(results: list[Result]) -> str:
    head = (
        "| set | texts | questions | recall@5 | recall@10 | recall@100 | nDCG@10 | p50 | p95 | load"
        " | peak memory |"
    )
    rows = [
        f"| {r.name} | {r.texts:,} | {r.questions:,} | {r.recall_5:.3f}"
        f" | {r.recall_10:.3f} | {_told(r.recall_100)} | {r.ndcg_10:.3f}"
        f" | {r.p50_ms:.0f} ms | {r.p95_ms:.0f} ms | {r.load_s:.1f} s | {r.peak_mb:.0f} MB |"
        for r in results
    ]
    return "\n".join([head, "|---|" + "--:|" * 10, *rows])


def main(arguments: list[str]) -> None:
    sys.path[:0] = [str(ROOT), str(ROOT / "platform")]
    makers = {"cmrc": cmrc, "stard": stard}
    chosen = [name for name in makers if name in arguments] or list(makers)
    is_deep = "--timed" not in arguments
    if "--scratch" in arguments:
        with scratch_database():
            results = [measure(makers[name](), is_deep=is_deep) for name in chosen]
    else:
        django_start()
        results = [measure(makers[name](), is_deep=is_deep) for name in chosen]
    sys.stdout.write(table(results) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
