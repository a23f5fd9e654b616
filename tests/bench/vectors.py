"""Where the exact vector scan should give way to an index: `python tests/bench/vectors.py [SIZE ...]`.

Fills one knowledge base in a database that is thrown away, measures `vectors.nearest` exactly and through the
base's own HNSW index, and prints a Markdown table. Vectors are random around 200 centres, 384 dimensions.
"""

import sys
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

from tests.bench.retrieval_api import scratch_database  # noqa: E402  the path comes first

DIMENSIONS, QUERIES, K = 384, 60, 10


def vectors(count: int, random: np.random.Generator, centres: Any) -> Any:
    rows = centres[random.integers(0, len(centres), count)]
    rows = rows + random.normal(0, 0.6, (count, DIMENSIONS))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def fill(base: Any, version: Any, rows: Any) -> None:
    from furrow.knowledge.bulk import insert_rows  # noqa: PLC0415  needs the settings
    from furrow.knowledge.models import Chunk  # noqa: PLC0415
    from furrow.knowledge.vectors import vectors_add  # noqa: PLC0415

    first = Chunk.objects.count()
    chunks = [
        Chunk(
            tenant_id=base.tenant_id, id=uuid.uuid4(), knowledge_base_id=base.id,
            document_id=version.document_id, version_id=version.id, ordinal=first + number,
            start=0, end=1, text="x", header="",
        )
        for number in range(len(rows))
    ]  # fmt: skip
    insert_rows(chunks)
    vectors_add(base.id, "bench", [(c.id, r.tolist()) for c, r in zip(chunks, rows, strict=True)])


def measure(base: Any, queries: Any) -> tuple[float, float, list[list[uuid.UUID]]]:
    """(p50 ms, p95 ms, ids found for each query)."""
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.vectors import nearest  # noqa: PLC0415

    times, found = [], []
    for query in [*queries[:5], *queries]:
        with tenant_tx(base.tenant_id):
            started = time.perf_counter()
            rows = nearest(base.id, "bench", query.tolist(), K)
            times.append((time.perf_counter() - started) * 1000)
        found.append([chunk_id for chunk_id, _ in rows])
    return float(np.percentile(times[5:], 50)), float(np.percentile(times[5:], 95)), found[5:]


def analyse() -> None:
    """Planner statistics, as autovacuum would have gathered them. The owner may, the app role may not."""
    from django.db import connections  # noqa: PLC0415

    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE knowledge_chunkvector")


def one_size(size: int) -> str:
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.knowledge.models import Document, DocumentVersion, KnowledgeBase  # noqa: PLC0415
    from furrow.knowledge.vector_index import index_create  # noqa: PLC0415
    from furrow.tenants.services import tenant_create  # noqa: PLC0415

    random = np.random.default_rng(size)
    centres = random.normal(0, 1, (200, DIMENSIONS))
    tenant = tenant_create(name=f"bench {size}")
    with tenant_tx(tenant.id):
        base = KnowledgeBase.objects.create(name="bench")
        document = Document.objects.create(knowledge_base=base, title="bench")
        version = DocumentVersion.objects.create(document=document, number=1)
    for done in range(0, size, 5000):
        with tenant_tx(tenant.id):
            fill(base, version, vectors(min(5000, size - done), random, centres))
    analyse()
    queries = vectors(QUERIES, random, centres)
    exact_50, exact_95, truth = measure(base, queries)
    started = time.perf_counter()
    index_create(base.id, "bench", DIMENSIONS)
    build_s = time.perf_counter() - started
    analyse()
    index_50, index_95, found = measure(base, queries)
    recall = np.mean([len(set(a) & set(b)) / K for a, b in zip(truth, found, strict=True)])
    return (
        f"| {size:,} | {exact_50:.1f} | {exact_95:.1f} | {index_50:.1f} | {index_95:.1f} "
        f"| {recall:.3f} | {build_s:.0f} |"
    )


def main() -> None:
    sizes = [int(text) for text in sys.argv[1:]] or [2_000, 10_000, 25_000, 50_000]
    with scratch_database():
        head = "| vectors | exact p50 ms | exact p95 ms | HNSW p50 ms | HNSW p95 ms | recall@10 | build s |"
        sys.stdout.write(head + "\n" + "|--:|--:|--:|--:|--:|--:|--:|" + "\n")
        for size in sizes:
            sys.stdout.write(one_size(size) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
