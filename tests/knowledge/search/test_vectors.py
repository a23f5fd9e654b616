"""The vector side: change of the model, and the index of a large base."""

import pytest
from django.db import connection

from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.knowledge import backfill, vector_index, vectors
from furrow.knowledge.models import Chunk, ChunkVector, KnowledgeBase
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.tenants.services import SYSTEM
from tests.replay import made_once


@pytest.fixture
def filled(shop):
    return made_once("knowledge, filled", lambda: _filled(shop))


def _filled(shop):
    for n, fruit in enumerate(("apple", "pear", "plum")):
        shop.add_text(f"{fruit} sheet", f"The {fruit} is picked in week {n}.")
    shop.run_jobs()
    return shop


def models(shop) -> set[str]:
    with tenant_tx(shop.tenant_id):
        return set(ChunkVector.objects.values_list("model", flat=True))


def test_old_vectors_serve_until_the_new_ones_are_complete(
    filled, embedding_server, settings, monkeypatch
):
    settings.EMBEDDINGS_MODEL = "fake-two"
    assert backfill.stale_bases_enqueue() == 1
    monkeypatch.setattr(backfill, "BATCH_SIZE", 1)
    monkeypatch.setattr(backfill, "SLICE_S", 0.0)
    real = backfill.backfill
    monkeypatch.setattr(backfill, "backfill", lambda job: real(job, slice_s=0.0))
    jobs.run_next("ingest")
    assert models(filled) == {"fake-one", "fake-two"}
    result = filled.search("pear is picked", mode="vector")
    assert (result.hits[0].title, result.notes) == ("pear sheet", ["vectors_building"])
    filled.run_jobs()
    assert models(filled) == {"fake-two"}
    result = filled.search("pear is picked", mode="vector")
    assert (result.hits[0].title, result.notes) == ("pear sheet", [])
    assert backfill.stale_bases_enqueue() == 0


def test_model_does_not_switch_while_a_chunk_lacks_its_vector(filled, settings, monkeypatch):
    settings.EMBEDDINGS_MODEL = "fake-two"
    backfill.stale_bases_enqueue()
    with monkeypatch.context() as patched:
        real = vectors.vectors_add
        patched.setattr(
            vectors, "vectors_add", lambda base, model, pairs: real(base, model, pairs[1:])
        )
        jobs.run_next("ingest")
    with tenant_tx(filled.tenant_id):
        assert KnowledgeBase.objects.get(id=filled.base.id).embedding_model == "fake-one"
    filled.run_jobs()
    assert models(filled) == {"fake-two"}


def test_long_backfill_gives_way_to_another_tenants_file(filled, cast, settings, monkeypatch):
    settings.EMBEDDINGS_MODEL = "fake-two"
    backfill.stale_bases_enqueue()
    real = backfill.backfill
    monkeypatch.setattr(backfill, "BATCH_SIZE", 1)
    monkeypatch.setattr(backfill, "backfill", lambda job: real(job, slice_s=0.0))
    jobs.run_next("ingest")
    with tenant_tx(filled.tenant_id):
        job = jobs.Job.objects.get(kind="knowledge.embed", state="queued")
        assert job.attempts == 0
    filled.run_jobs()
    assert models(filled) == {"fake-two"}


def test_vectors_of_a_version_being_built_are_not_found(filled):
    with tenant_tx(filled.tenant_id):
        chunk = Chunk.objects.first()
        ChunkVector.objects.filter(chunk=chunk).update(model="building:fake-one")
        found = vectors.nearest(filled.base.id, "fake-one", [0.1] * 64, 10)
    assert chunk.id not in [chunk_id for chunk_id, _ in found]
    assert len(found) == 2


def test_base_below_the_limit_gets_no_index(filled, monkeypatch):
    def refuse(*args):
        raise AssertionError("built an index")

    monkeypatch.setattr(vector_index, "index_create", refuse)
    assert vector_index.vector_index_build(filled.tenant_id, filled.base.id) is False


def test_base_above_the_limit_asks_for_an_index(filled, settings):
    settings.VECTOR_EXACT_LIMIT = 2
    with tenant_tx(filled.tenant_id):
        backfill.embed_enqueue(filled.base.id)
    jobs.run_next("ingest")
    with tenant_tx(filled.tenant_id):
        assert jobs.Job.objects.filter(kind="knowledge.vector_index", state="queued").exists()


@pytest.fixture
def committed(django_db_setup, django_db_blocker, settings):
    """A tenant with a hundred vectors that other connections can see; removed by the owner afterwards."""
    from furrow.tenants.services import tenant_create  # noqa: PLC0415  needs the database

    settings.VECTOR_EXACT_LIMIT = 50
    settings.EMBEDDINGS_MODEL = "fake-one"
    with django_db_blocker.unblock():
        tenant = tenant_create(name="Large", slug="large")
        try:
            with tenant_tx(tenant.id):
                base = knowledge_base_create(actor=SYSTEM, name="Large")
                _chunks_with_vectors(base)
            yield tenant, base
        finally:
            with vector_index._owner_connection() as owner:
                vector_index.index_drop(owner, base.id)
                owner.execute("SET session_replication_role = replica")
                for table in ("chunkvector", "chunk", "documentversion", "document"):
                    owner.execute(f"DELETE FROM knowledge_{table}")
                owner.execute("DELETE FROM knowledge_knowledgebase")
                owner.execute("DELETE FROM tenants_auditentry")
                owner.execute("DELETE FROM tenants_tenant WHERE slug = 'large'")
            connection.close()


def _chunks_with_vectors(base: KnowledgeBase) -> None:
    from furrow.knowledge.models import Document, DocumentVersion  # noqa: PLC0415
    from tests.fixtures_embeddings import vector_of  # noqa: PLC0415

    document = Document.objects.create(knowledge_base=base, title="Large")
    version = DocumentVersion.objects.create(document=document, number=1)
    chunks = [
        Chunk.objects.create(
            knowledge_base=base,
            document=document,
            version=version,
            ordinal=n,
            start=0,
            end=1,
            text=f"word{n}",
        )
        for n in range(100)
    ]
    pairs = [(chunk.id, vector_of(chunk.text)) for chunk in chunks]
    vectors.vectors_add(base.id, "fake-one", pairs)


def _plan(base: KnowledgeBase, query: list[float]) -> str:
    """As `nearest` asks, with the scan that a small table would prefer switched off."""
    asked = []
    with connection.execute_wrapper(
        lambda execute, sql, params, many, context: (
            asked.append((sql, params)),
            execute(sql, params, many, context),
        )[1]
    ):
        vectors.nearest(base.id, "fake-one", query, 5)
    sql, params = asked[-1]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute("EXPLAIN " + sql, params)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_large_base_is_searched_through_its_own_index(committed, django_db_blocker):
    from tests.fixtures_embeddings import vector_of  # noqa: PLC0415

    tenant, base = committed
    query = vector_of("word7").tolist()
    with tenant_tx(tenant.id):
        exact = vectors.nearest(base.id, "fake-one", query, 5)
        assert vectors.index_name(base.id, "fake-one") not in _plan(base, query)
    assert vector_index.vector_index_build(tenant.id, base.id) is True
    with tenant_tx(tenant.id):
        assert vectors.index_name(base.id, "fake-one") in _plan(base, query)
        assert vectors.nearest(base.id, "fake-one", query, 5) == exact
        assert KnowledgeBase.objects.get(id=base.id).has_vector_index
    # Building again, say after a build that was cut short, replaces it.
    assert vector_index.vector_index_build(tenant.id, base.id) is True
