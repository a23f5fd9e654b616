"""What a search finds, in which spelling, for whom, and at what cost."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from furrow.core.context import tenant_context, tenant_tx
from furrow.core.errors import Invalid
from furrow.knowledge import search as search_module
from furrow.knowledge.models import Chunk
from furrow.knowledge.search import search
from furrow.knowledge.services.bases import (
    knowledge_base_create,
    knowledge_base_delete,
    knowledge_base_restore,
)
from furrow.knowledge.services.documents import (
    chunk_set_enabled,
    document_delete,
    document_restore,
    document_update,
)
from furrow.tenants.services import SYSTEM
from tests.replay import made_once


@pytest.fixture
def orchard(shop):
    return made_once("knowledge, orchard", lambda: _orchard(shop))


def _orchard(shop):
    """A few texts in two languages."""
    shop.add_text("Fuji", "红富士苹果的保鲜期是三十天，收到后请放入冰箱。", external_id="fuji")
    shop.add_text("Box", "The gift box HN-2025/A3 holds twelve apples.", external_id="box")
    shop.add_text("Pear", "Pears are shipped on Tuesday in a wooden crate.", external_id="pear")
    shop.run_jobs()
    return shop


def test_product_code_is_found_in_every_spelling(orchard, subtests):
    for spelling in ("HN-2025/A3", "hn-2025/a3", "ＨＮ－２０２５／Ａ３", "HN2025A3"):
        with subtests.test(spelling=spelling):
            assert orchard.found(spelling, mode="lexical") == ["Box"]


def test_traditional_question_finds_simplified_text(orchard):
    hits = orchard.search("紅富士蘋果的保鮮期").hits
    assert hits[0].external_id == "fuji"
    assert hits[0].scores["lexical"] > 0


def test_words_that_matched_are_told(orchard):
    assert "pears" in orchard.search("When are pears shipped?").hits[0].matched_terms


def test_both_legs_add_up(orchard):
    hit = orchard.search("pears shipped tuesday").hits[0]
    assert hit.title == "Pear"
    assert hit.ranks == {"lexical": 1, "vector": 1}
    assert hit.score == pytest.approx(1.0)


def test_vectors_find_what_shares_no_indexed_word(orchard, monkeypatch):
    monkeypatch.setattr(search_module, "words_find", lambda *args: [])
    hits = orchard.search("crate tuesday wooden").hits
    assert hits[0].title == "Pear"
    assert hits[0].ranks == {"lexical": None, "vector": 1}


def test_untrusted_language_leaves_the_vectors_aside(orchard, embedding_server):
    before = len(embedding_server.requests)
    result = orchard.search("苹果放入冰箱")
    assert result.notes == ["vectors_untrusted:zh"]
    assert result.hits[0].scores["vector"] is None
    assert len(embedding_server.requests) == before


def test_trusted_language_uses_the_vectors(orchard, settings):
    settings.EMBEDDINGS_LANGUAGES = ["en", "zh"]
    assert orchard.search("苹果放入冰箱").hits[0].scores["vector"] is not None


def test_vector_mode_asks_the_vectors_alone(orchard):
    result = orchard.search("pears shipped", mode="vector")
    assert result.hits[0].title == "Pear"
    assert all(hit.scores["lexical"] is None for hit in result.hits)


def test_absent_model_server_costs_a_note(orchard, settings):
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    result = orchard.search("pears shipped")
    assert (result.hits[0].title, result.notes) == ("Pear", ["vectors_unavailable"])


def test_vectors_of_another_length_cost_a_note(orchard, monkeypatch):
    monkeypatch.setattr(search_module, "embed_texts", lambda texts, **options: [[0.5] * 9])
    result = orchard.search("pears shipped")
    assert (result.hits[0].title, result.notes) == ("Pear", ["vectors_unavailable"])


def test_document_out_of_its_dates_is_not_found(shop):
    today = timezone.localdate()
    day = timedelta(days=1)
    shop.add_text("Old", "Autumn discount ten percent.", valid_to=today - day)
    shop.add_text("Soon", "Winter discount ten percent.", valid_from=today + day)
    shop.add_text("Now", "Summer discount ten percent.", valid_from=today, valid_to=today)
    shop.run_jobs()
    for mode in ("hybrid", "lexical", "vector"):
        assert shop.found("discount percent", mode=mode) == ["Now"]
        filters = {"metadata": {}, "document_ids": None}
        assert shop.found("discount percent", mode=mode, filters=filters) == ["Now"]


@pytest.mark.slow
def test_many_expired_documents_cannot_crowd_out_a_valid_one(shop):
    past = timezone.localdate() - timedelta(days=1)
    for n in range(12):
        shop.add_text(f"Old {n}", "discount discount discount", valid_to=past)
    shop.add_text("Now", "A long sentence about shipping that names the discount once.")
    shop.run_jobs()
    assert shop.found("discount", limit=1) == ["Now"]


def test_filters_narrow_both_legs(shop):
    north = shop.add_text("North", "Peaches cost nine yuan.", metadata={"region": "north"})
    shop.add_text("South", "Peaches cost eight yuan.", metadata={"region": "south"})
    shop.run_jobs()
    for mode in ("hybrid", "lexical", "vector"):
        wanted = {"metadata": {"region": "south"}}
        assert shop.found("peaches yuan", mode=mode, filters=wanted) == ["South"]
        wanted = {"document_ids": [str(north.id)]}
        assert shop.found("peaches yuan", mode=mode, filters=wanted) == ["North"]
    assert shop.found("peaches", filters={"document_ids": []}) == []


@pytest.mark.parametrize("filters", [{"owner": 1}, {"document_ids": ["x"]}, {"metadata": [1]}])
def test_unknown_filter_is_refused(shop, filters):
    with pytest.raises(Invalid):
        shop.search("peaches", filters=filters)


def test_stranger_finds_nothing(orchard, cast):
    with tenant_context(cast.other_tenant.id):
        for mode in ("hybrid", "lexical", "vector"):
            found = search(knowledge_base_ids=[orchard.base.id], query="pears shipped", mode=mode)
            assert found.hits == []


def test_warm_cache_does_not_open_another_tenants_index(orchard, cast):
    orchard.search("pears")
    with tenant_tx(cast.other_tenant.id):
        own = knowledge_base_create(actor=SYSTEM, name="Own")
    with tenant_context(cast.other_tenant.id):
        found = search(knowledge_base_ids=[orchard.base.id, own.id], query="pears shipped")
    assert found.hits == []


def test_deleted_document_is_gone_until_restored(orchard):
    document = orchard.search("pears").hits[0].document_id
    with tenant_tx(orchard.tenant_id):
        row = orchard.fresh(type("D", (), {"id": document}))
        document_delete(actor=SYSTEM, document=row)
    assert orchard.found("pears wooden crate", mode="lexical") == []
    orchard.run_jobs()
    assert "Pear" not in orchard.found("pears wooden crate")
    with tenant_tx(orchard.tenant_id):
        document_restore(actor=SYSTEM, document=row)
    assert orchard.found("pears wooden crate", mode="lexical") == ["Pear"]
    orchard.run_jobs()
    assert orchard.found("pears wooden crate", mode="vector")[0] == "Pear"
    assert orchard.found("pears wooden crate", mode="lexical") == ["Pear"]


def test_deleted_base_is_gone_until_restored(orchard):
    with tenant_tx(orchard.tenant_id):
        knowledge_base_delete(actor=SYSTEM, knowledge_base=orchard.base)
    assert orchard.found("pears") == []
    with tenant_tx(orchard.tenant_id):
        knowledge_base_restore(actor=SYSTEM, knowledge_base=orchard.base)
    assert orchard.found("pears shipped")[0] == "Pear"


def test_switched_off_passage_is_not_found(orchard):
    with tenant_tx(orchard.tenant_id):
        chunk = Chunk.objects.select_related("document").get(text__contains="Pears")
        chunk_set_enabled(actor=SYSTEM, chunk=chunk, is_enabled=False)
    for mode in ("lexical", "vector"):
        assert "Pear" not in orchard.found("pears wooden crate", mode=mode)
    with tenant_tx(orchard.tenant_id):
        chunk_set_enabled(actor=SYSTEM, chunk=chunk, is_enabled=True)
    orchard.run_jobs()
    for mode in ("lexical", "vector"):
        assert orchard.found("pears wooden crate", mode=mode)[0] == "Pear"


def test_new_title_is_searched(orchard):
    found = orchard.search("pears").hits[0].document_id
    with tenant_tx(orchard.tenant_id):
        document = orchard.fresh(type("D", (), {"id": found}))
        document_update(actor=SYSTEM, document=document, title="Orchard dispatch")
    orchard.run_jobs()
    assert orchard.found("dispatch", mode="lexical") == ["Orchard dispatch"]
    assert orchard.found("pears wooden crate", mode="lexical") == ["Orchard dispatch"]


def test_search_costs_a_fixed_number_of_queries(orchard, django_assert_num_queries):
    orchard.search("pears shipped")
    with tenant_context(orchard.tenant_id):
        # Bases, dates, vocabulary, synonyms, index, known questions, what the passages belong to, vectors (settings
        # and scan), texts; and three small transactions, each
        # with its savepoint, settings of the tenant and release; the rest is the hold of the embedding
        # and its settlement, one trip each, whatever is searched.
        with django_assert_num_queries(24):
            search(knowledge_base_ids=[orchard.base.id], query="pears shipped")
        for n in range(3):
            orchard.add_text(f"More {n}", f"More pears shipped {n}.")
        orchard.run_jobs()
        orchard.search("pears shipped")
        # Among several titles the question now names one: its own passages are looked up too.
        with django_assert_num_queries(26):
            search(knowledge_base_ids=[orchard.base.id], query="pears shipped")


@pytest.mark.parametrize("query", ["", "   ", "?!", "的", "x" * 5000, "𠮷" * 300])
def test_odd_questions_end_well(orchard, query):
    assert isinstance(orchard.search(query).hits, list)


def test_unknown_base_finds_nothing(orchard):
    with tenant_context(orchard.tenant_id):
        assert search(knowledge_base_ids=[uuid4()], query="pears").hits == []
