"""Merging of index segments while documents come and go."""

from uuid import uuid4

import pytest

from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.knowledge.lexical import compaction, store
from furrow.knowledge.lexical.compaction import SegmentState, segments_to_merge
from furrow.knowledge.models import Chunk, LexicalPosting, LexicalSegment
from furrow.knowledge.services.documents import document_delete
from furrow.tenants.services import SYSTEM
from tests.replay import made_once

WORDS = "apricot banana cherry damson elderberry fig grape hazel iris juniper".split()


@pytest.fixture
def ten(shop, monkeypatch):
    """Ten documents in ten segments that are due to be merged, and the documents."""
    return made_once("knowledge, ten", lambda: _ten(shop, monkeypatch))


def _ten(shop, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(compaction, "MAX_SEGMENTS", 100)
        documents = [
            shop.add_text(f"Text {n}", f"The {word} rule. Every text shares apples.")
            for n, word in enumerate(WORDS)
        ]
        shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        compaction.compaction_enqueue_if_due(shop.base.id)
    assert counts(shop) == (10, 10, 0)
    return documents


def counts(shop) -> tuple[int, int, int]:
    """Segments, chunks in them, and those marked dead."""
    with tenant_tx(shop.tenant_id):
        rows = list(LexicalSegment.objects.values_list("chunk_count", "dead_count"))
    return len(rows), sum(r[0] for r in rows), sum(r[1] for r in rows)


def state(size: int, dead: int = 0) -> SegmentState:
    return SegmentState(uuid4(), size, dead)


def test_few_clean_segments_stay():
    assert segments_to_merge([state(10) for _ in range(8)]) == []


def test_a_segment_with_many_dead_is_rewritten_alone():
    wasteful = state(10, 3)
    assert segments_to_merge([state(1000), wasteful]) == [wasteful]


def test_too_many_segments_merge_but_the_large_one_stays():
    large, small = state(100_000), [state(10) for _ in range(9)]
    chosen = segments_to_merge([large, *small])
    assert large not in chosen
    assert len(chosen) == 9


def test_equal_segments_become_one():
    assert len(segments_to_merge([state(2000) for _ in range(29)])) == 29


def test_merging_keeps_every_answer(shop, ten):
    before = {h.title: h.scores["lexical"] for h in shop.search("apples", limit=20).hits}
    shop.run_jobs()
    assert counts(shop) == (1, 10, 0)
    after = {h.title: h.scores["lexical"] for h in shop.search("apples", limit=20).hits}
    assert after == pytest.approx(before)
    assert shop.found("hazel", mode="lexical") == ["Text 7"]
    with tenant_tx(shop.tenant_id):
        segment = LexicalSegment.objects.get()
        assert set(
            LexicalPosting.objects.filter(tenant_id=shop.tenant_id).values_list(
                "segment_id", flat=True
            )
        ) == {segment.id}


def test_dead_chunks_leave_with_the_merge(shop):
    documents = [shop.add_text(f"Text {n}", f"Apples {WORDS[n]}.") for n in range(3)]
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        document_delete(actor=SYSTEM, document=documents[1])
    assert counts(shop)[2] == 1
    shop.run_jobs()
    assert counts(shop)[1:] == (2, 0)
    assert sorted(shop.found("apples", mode="lexical")) == ["Text 0", "Text 2"]


def test_chunk_that_dies_during_a_merge_stays_dead(shop, ten, monkeypatch):
    real = compaction.merge_segments

    def delete_meanwhile(parts, dead):
        with tenant_tx(shop.tenant_id):
            document_delete(actor=SYSTEM, document=ten[4])
        return real(parts, dead)

    monkeypatch.setattr(compaction, "merge_segments", delete_meanwhile)
    jobs.run_next("ingest")
    assert counts(shop) == (1, 10, 1)
    # Asked of the index itself: a search would also leave out what its document's row says is deleted.
    with tenant_tx(shop.tenant_id):
        hits = store.search([shop.base.id], "apples", 20, store.Scope())
        dead = Chunk.objects.get(document=ten[4]).id
    assert len(hits) == 9
    assert dead not in [hit.chunk_id for hit in hits]


@pytest.mark.slow
def test_merge_that_lost_its_lease_swaps_nothing(shop, ten, monkeypatch):
    real = store.postings_insert

    def steal(*args):
        real(*args)
        jobs.Job.objects.filter(kind="knowledge.compact").update(lease_token=uuid4())

    with monkeypatch.context() as patched:
        patched.setattr(store, "postings_insert", steal)
        jobs.run_next("ingest")
    assert counts(shop) == (10, 10, 0)
    assert len(shop.found("apples", mode="lexical", limit=20)) == 10


@pytest.mark.slow
def test_postings_of_a_merge_that_died_are_cleared(shop, ten):
    with tenant_tx(shop.tenant_id):
        orphan = store.build_segment([(uuid4(), "", "apples")])
        store.postings_insert(shop.base.id, uuid4(), orphan)
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        segments = set(LexicalSegment.objects.values_list("id", flat=True))
        postings = LexicalPosting.objects.filter(tenant_id=shop.tenant_id)
        assert set(postings.values_list("segment_id", flat=True)) == segments


@pytest.mark.parametrize("size", [0, 1])
def test_header_cache_holds_what_it_may(size):
    cache = store._HeaderCache(max_bytes=40)
    headers = {n: store.Header(bytes(16), store.np.zeros(1, "<u4")) for n in range(4)}
    for n, header in headers.items():
        cache.put((n, n), header)
    assert cache.get((0, 0)) is None
    assert cache.get((3, 3)) is headers[3]
    # The same segment id under another tenant is another entry.
    assert cache.get((size, 3)) is None
