"""One million passages in one database: `python tests/bench/vectors_million.py [--share 0.02]`.

Tenants of 500,000, 50,000, 5,000 and 500 passages, the rest of the million in others, in a database that is thrown away.
Vectors have 384 dimensions around 2,000 centres. Prints for each tenant: recall@10 against the exact answer, p50 and
p95 of the vector leg and of the lexical leg, and recall once more after another tenant has loaded; then disk and
time. `--share` makes every tenant so much smaller, and the centres fewer, for trying the command out. Needs about 6 GB of disk and an hour
on two cores, most of it for the index of the large tenant.
"""

import struct
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

from tests.bench.retrieval_api import scratch_database  # noqa: E402  the path comes first

DIMENSIONS, QUERIES, K, BATCH = 384, 100, 10, 20_000
SIZES = (500_000, 50_000, 5_000, 500)
MILLION, CENTRES = 1_000_000, 2_000
MODEL = "bench"
_SINCE_2000_US = int(
    (datetime(2026, 1, 1, tzinfo=UTC) - datetime(2000, 1, 1, tzinfo=UTC)).total_seconds() * 1e6
)
_WORDS = ["".join(chr(0x4E00 + (7 * n + 13 * k) % 3000) for k in range(2)) for n in range(4000)]


@dataclass
class Tenant:
    """`queries` and the best similarities found so far, with their chunk ids."""

    size: int
    base: Any
    version: Any
    queries: Any
    best: Any = None
    ids: list[list[uuid.UUID]] = field(default_factory=list)
    load_s: float = 0.0
    index_s: float = 0.0

    def keep_best(self, rows: Any, ids: list[uuid.UUID]) -> None:
        likeness = self.queries @ rows.T
        for place in range(len(self.queries)):
            top = np.argpartition(-likeness[place], min(K, len(ids) - 1))[:K]
            found = [(float(likeness[place][at]), ids[at]) for at in top]
            self.best[place] = sorted([*self.best[place], *found], key=lambda p: -p[0])[:K]


def tenant_make(size: int, random: np.random.Generator, centres: Any) -> Tenant:
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.models import Document, DocumentVersion, KnowledgeBase  # noqa: PLC0415
    from furrow.tenants.services import tenant_create  # noqa: PLC0415

    row = tenant_create(name=f"bench {uuid.uuid4().hex[:8]}")
    with tenant_tx(row.id):
        base = KnowledgeBase.objects.create(name="bench", embedding_model=MODEL)
        document = Document.objects.create(knowledge_base=base, title="bench")
        version = DocumentVersion.objects.create(document=document, number=1, state="live")
        document.live_version = version
        document.save()
    made = Tenant(size, base, version, vectors(QUERIES, random, centres))
    made.best = [[] for _ in range(QUERIES)]
    return made


def vectors(count: int, random: np.random.Generator, centres: Any) -> Any:
    rows = centres[random.integers(0, len(centres), count)]
    rows = rows + random.normal(0, 0.6, (count, DIMENSIONS)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float16).astype(np.float32)


def tenant_load(made: Tenant, random: np.random.Generator, centres: Any) -> None:
    started = time.perf_counter()
    for first in range(0, made.size, BATCH):
        count = min(BATCH, made.size - first)
        ids = [uuid.UUID(bytes=random.bytes(16), version=4) for _ in range(count)]
        rows = vectors(count, random, centres)
        texts = texts_make(count, random)
        made.keep_best(rows, ids)
        copy_rows("knowledge_chunk", CHUNK_COLUMNS, chunk_fields(made, ids, texts, first))
        copy_rows("knowledge_chunkvector", VECTOR_COLUMNS, vector_fields(made, ids, rows))
        lexical_add(made, ids, texts)
    made.ids = [[chunk_id for _, chunk_id in row] for row in made.best]
    made.load_s = time.perf_counter() - started


def texts_make(count: int, random: np.random.Generator) -> list[str]:
    """Words drawn so that few are very common, as in real text."""
    picks = (len(_WORDS) * random.power(0.35, (count, 40))).astype(int)
    return ["".join(_WORDS[at] for at in row) for row in picks]


def lexical_add(made: Tenant, ids: list[uuid.UUID], texts: list[str]) -> None:
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.lexical import store  # noqa: PLC0415
    from furrow.knowledge.lexical.segments import build_segment  # noqa: PLC0415

    segment = build_segment((i, "", t) for i, t in zip(ids, texts, strict=True))
    with tenant_tx(made.base.tenant_id):
        store.segment_insert(made.base.id, segment)


CHUNK_COLUMNS = (
    'id, tenant_id, created_at, knowledge_base_id, document_id, version_id, ordinal, start, "end",'
    " kind, heading_path, header, text, flags, is_enabled"
)
VECTOR_COLUMNS = "id, tenant_id, created_at, knowledge_base_id, chunk_id, model, embedding"
_STAMP = struct.pack("!q", _SINCE_2000_US)
_EMPTY_ARRAY = struct.pack("!iiI", 0, 0, 1043)


def chunk_fields(
    made: Tenant, ids: list[uuid.UUID], texts: list[str], first: int
) -> Iterator[list[bytes]]:
    tenant, base = made.base.tenant_id.bytes, made.base.id.bytes
    document, version = made.version.document_id.bytes, made.version.id.bytes
    for number, (chunk_id, text) in enumerate(zip(ids, texts, strict=True), start=first):
        yield [
            chunk_id.bytes, tenant, _STAMP, base, document, version, struct.pack("!i", number),
            struct.pack("!i", 0), struct.pack("!i", len(text)), b"text", _EMPTY_ARRAY, b"",
            text.encode(), b"\1[]", b"\1",
        ]  # fmt: skip


def vector_fields(made: Tenant, ids: list[uuid.UUID], rows: Any) -> Iterator[list[bytes]]:
    """halfvec travels as its length, an unused number and big-endian halves."""
    tenant, base = made.base.tenant_id.bytes, made.base.id.bytes
    head = struct.pack("!hh", DIMENSIONS, 0)
    halves = rows.astype(">f2")
    for chunk_id, row in zip(ids, halves, strict=True):
        yield [
            uuid.uuid4().bytes, tenant, _STAMP, base, chunk_id.bytes, MODEL.encode(),
            head + row.tobytes(),
        ]  # fmt: skip


def copy_rows(table: str, columns: str, rows: Iterator[list[bytes]]) -> None:
    """Binary COPY as the owner of the scratch database, whom row-level security does not bind."""
    from django.db import connections  # noqa: PLC0415

    owner = connections["owner"]
    owner.ensure_connection()
    with (
        owner.connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0))
        for fields in rows:
            packed = b"".join(struct.pack("!i", len(value)) + value for value in fields)
            copy.write(struct.pack("!h", len(fields)) + packed)
        copy.write(struct.pack("!h", -1))


def analyse(*tables: str) -> None:
    from django.db import connections  # noqa: PLC0415

    with connections["owner"].cursor() as cursor:
        for table in tables:
            cursor.execute(f"ANALYZE {table}")


def vector_leg(made: Tenant) -> tuple[float, float, float]:
    """(recall, p50 ms, p95 ms)."""
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.vectors import nearest  # noqa: PLC0415

    times, hits = [], 0
    for place, query in enumerate(made.queries):
        started = time.perf_counter()
        with tenant_tx(made.base.tenant_id):
            found = nearest(made.base.id, MODEL, query.tolist(), K)
        times.append((time.perf_counter() - started) * 1000)
        hits += len({chunk_id for chunk_id, _ in found} & set(made.ids[place]))
    wanted = sum(map(len, made.ids))
    return hits / wanted, float(np.percentile(times, 50)), float(np.percentile(times, 95))


def lexical_leg(made: Tenant, random: np.random.Generator) -> tuple[float, float]:
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.lexical import store  # noqa: PLC0415

    times = []
    for _ in range(QUERIES):
        query = "".join(_WORDS[at] for at in random.integers(0, len(_WORDS), 6))
        started = time.perf_counter()
        with tenant_tx(made.base.tenant_id):
            store.search([made.base.id], query, 50, store.Scope())
        times.append((time.perf_counter() - started) * 1000)
    return float(np.percentile(times, 50)), float(np.percentile(times, 95))


def index_if_large(made: Tenant) -> None:
    from furrow.knowledge.vector_index import vector_index_build  # noqa: PLC0415

    started = time.perf_counter()
    vector_index_build(made.base.tenant_id, made.base.id)
    made.index_s = time.perf_counter() - started


def disk_mb() -> float:
    from django.db import connections  # noqa: PLC0415

    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return float(cursor.fetchone()[0]) / 1e6


def main(arguments: list[str]) -> None:
    share = float(arguments[arguments.index("--share") + 1]) if "--share" in arguments else 1.0
    random = np.random.default_rng(7)
    # Fewer centres too: it is how crowded each of them is that a search has to cope with.
    count = max(int(CENTRES * share), 20)
    centres = random.normal(0, 1, (count, DIMENSIONS)).astype(np.float32)
    rest = (MILLION - sum(SIZES)) // 5
    with scratch_database():
        from django.conf import settings  # noqa: PLC0415

        settings.VECTOR_EXACT_LIMIT = int(settings.VECTOR_EXACT_LIMIT * share)
        measured = [tenant_make(max(int(n * share), 100), random, centres) for n in SIZES]
        others = [tenant_make(max(int(rest * share), 100), random, centres) for _ in range(5)]
        late = others.pop()
        for made in [*measured, *others]:
            tenant_load(made, random, centres)
            say(f"{made.size:,} passages loaded in {made.load_s:.0f} s")
        for made in [*measured, *others]:
            index_if_large(made)
        analyse("knowledge_chunk", "knowledge_chunkvector", "knowledge_lexicalposting")
        before = [vector_leg(made) for made in measured]
        words = [lexical_leg(made, random) for made in measured]
        tenant_load(late, random, centres)
        index_if_large(late)
        after = [vector_leg(made) for made in measured]
        say(
            "\n| passages | index | recall@10 | p50 ms | p95 ms | lexical p50 ms | p95 ms"
            " | recall after another load | index s |\n|--:|---|" + "--:|" * 7
        )
        for made, one, lex, two in zip(measured, before, words, after, strict=True):
            kind = "HNSW" if made.size > settings.VECTOR_EXACT_LIMIT else "exact"
            say(
                f"| {made.size:,} | {kind} | {one[0]:.4f} | {one[1]:.1f} | {one[2]:.1f}"
                f" | {lex[0]:.1f} | {lex[1]:.1f} | {two[0]:.4f} | {made.index_s:.0f} |"
            )
        total = sum(made.size for made in [*measured, *others, late])
        say(f"\n{total:,} passages, {disk_mb():,.0f} MB on disk")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
