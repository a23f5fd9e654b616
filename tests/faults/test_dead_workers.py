"""Workers are killed while files are being read and questions answered."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.faults.client import Business, Reader, finish
from tests.faults.product import Product, bar, is_alive, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

LEASE_S = 30
chance = random.SystemRandom()


@dataclass
class Raid:
    """What went on before, during and after the kills."""

    copies: dict[tuple[str, int], str]
    readers: list[Reader]
    killed_at: float = 0.0
    orphans: int = 0
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def raid(
    product: Product, shop: Business, files: dict[str, Path], clean: dict[str, str], desk: str
) -> Raid:
    """Two kills of each worker, at any moment of a busy time: the leader alone, then with all its children."""
    raid = Raid(
        copies={
            (kind, n): shop.upload(path, f"copy-{n}-{path.name}")
            for n in range(2)
            for kind, path in files.items()
            if n == 0 or kind in {"pdf", "docx"}
        },
        readers=[],
    )
    for with_children in (False, True):
        raid.readers += shop.ask(desk, 12)
        time.sleep(chance.uniform(0.0, 1.0))
        old_chat = product.kill("worker-chat")
        time.sleep(chance.uniform(0.0, 2.0))
        parsers = product.parsers()
        old_ingest = product.kill("worker-ingest", with_children=with_children)
        raid.killed_at = time.monotonic()
        time.sleep(1)
        raid.orphans += sum(is_alive(parser) for parser in parsers)
        for name, old in (("worker-chat", old_chat), ("worker-ingest", old_ingest)):
            assert until(lambda n=name, o=old: product.restarted(n, o), within_s=20)
    return raid


def test_files_are_read_within_the_lease_after_their_worker_died(
    shop: Business, raid: Raid, say: dict[str, float]
) -> None:
    raid.rows = shop.settled(raid.copies.values(), within_s=bar(LEASE_S + 30))
    say["files ready after the kill, s"] = time.monotonic() - raid.killed_at
    assert {row["status"] for row in raid.rows.values()} == {"ready"}


def test_questions_are_answered_once_after_their_worker_died(
    raid: Raid, say: dict[str, float]
) -> None:
    say["slowest answer, s"] = finish(raid.readers, LEASE_S + 30)
    assert {reader.events[-1][0] for reader in raid.readers} == {"done"}


def test_no_passage_is_lost_or_doubled(product: Product, raid: Raid, clean: dict[str, str]) -> None:
    for (kind, _), document_id in raid.copies.items():
        found = _passages(product, document_id)
        assert set(found.values()) == {1}
        assert found == _passages(product, clean[kind])
    live = product.sql(
        "SELECT max(n) FROM (SELECT count(*) n FROM knowledge_documentversion WHERE state = 'live'"
        " GROUP BY document_id) counted"
    )
    assert live == [(1,)]


def test_search_finds_each_passage_once(shop: Business, raid: Raid) -> None:
    hits = shop.search("赔付需要几张照片")["results"]
    copies = {document_id for (kind, _), document_id in raid.copies.items() if kind == "pdf"}
    assert {hit["document_id"] for hit in hits} >= copies
    assert len({hit["chunk_id"] for hit in hits}) == len(hits)


def test_no_reading_process_outlives_its_worker(raid: Raid) -> None:
    assert raid.orphans == 0


def _passages(product: Product, document_id: str) -> Counter[tuple[int, int]]:
    """Number and vectors of each passage of the live version, with how often it is there."""
    rows = product.sql(
        "SELECT ordinal, (SELECT count(*) FROM knowledge_chunkvector v WHERE v.chunk_id = c.id)"
        " FROM knowledge_chunk c JOIN knowledge_document d ON d.live_version_id = c.version_id"
        " WHERE d.id = %s",
        document_id,
    )
    return Counter((ordinal, vectors) for ordinal, vectors in rows)
