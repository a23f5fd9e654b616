"""A corrected passage takes the place of the wrong one, survives a new upload, and tells when its source changed."""

import pytest

from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid, NotFound
from furrow.knowledge.models import Chunk, Document, PassageCorrection
from furrow.knowledge.search import search
from furrow.knowledge.selectors import correction_get
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.corrections import correction_create, correction_remove
from furrow.knowledge.services.documents import document_add_text
from furrow.tenants.services import SYSTEM
from tests.replay import made_once

# Long enough that each section is a passage of its own.
PADDING = "".join(f"第{n}号货架的苹果和梨要轻拿轻放，装箱前逐个检查。" for n in range(1, 40))
FEES = f"# 运费\n\n到北京的运费是十二元，三天送到。\n\n# 装箱\n\n{PADDING}\n"
HOURS = "\n# 营业时间\n\n每天早上八点开门，晚上八点关门。\n"


@pytest.fixture(autouse=True)
def _words_only(settings):
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    settings.EMBEDDINGS_LANGUAGES = ["none"]


def ingest() -> None:
    while jobs.run_next("ingest"):
        pass


def upload(cast, base, text: str) -> Document:
    with tenant_tx(cast.tenant.id):
        document = document_add_text(
            actor=SYSTEM, knowledge_base=base, title="店规", text=text, external_id="rules"
        )
    ingest()
    return document


@pytest.fixture
def base(cast):
    return made_once("corrections", lambda: _base(cast))


def _base(cast):
    with tenant_tx(cast.tenant.id):
        return knowledge_base_create(actor=SYSTEM, name="Shop")


@pytest.fixture
def corrected(cast, base) -> PassageCorrection:
    return made_once("corrections, corrected", lambda: _corrected(cast, base))


def _corrected(cast, base) -> PassageCorrection:
    document = upload(cast, base, FEES + HOURS)
    with tenant_tx(cast.tenant.id):
        chunk = Chunk.objects.get(document=document, text__contains="十二元")
        row = correction_create(actor=SYSTEM, chunk=chunk, text="到北京的运费是十五元，两天送到。")
    ingest()
    return row


def found(cast, base, query: str = "到北京的运费") -> str:
    with tenant_tx(cast.tenant.id):
        hits = search(knowledge_base_ids=[base.id], query=query, mode="lexical").hits
    return " ".join(hit.text for hit in hits)


def test_corrected_words_are_found_and_the_wrong_ones_are_not(cast, base, corrected):
    text = found(cast, base)
    assert "十五元" in text
    assert "十二元" not in text


def test_wrong_words_are_found_until_the_right_ones_can_be(cast, base):
    document = upload(cast, base, FEES)
    with tenant_tx(cast.tenant.id):
        chunk = Chunk.objects.get(document=document, text__contains="十二元")
        correction_create(actor=SYSTEM, chunk=chunk, text="到北京的运费是十五元。")
    assert "十二元" in found(cast, base)


def test_correction_survives_a_new_upload(cast, base, corrected):
    upload(cast, base, FEES + HOURS.replace("八点关门", "九点关门"))
    text = found(cast, base)
    assert "十五元" in text
    assert "十二元" not in text
    assert "九点关门" in found(cast, base, "几点关门")
    with tenant_tx(cast.tenant.id):
        assert not PassageCorrection.objects.get().is_source_changed


def test_owner_is_told_when_the_source_changed(cast, base, corrected):
    upload(cast, base, FEES.replace("十二元", "十三元") + HOURS)
    with tenant_tx(cast.tenant.id):
        assert PassageCorrection.objects.get().is_source_changed
    text = found(cast, base)
    assert "十五元" in text
    assert "十三元" in text
    upload(cast, base, FEES + HOURS)
    with tenant_tx(cast.tenant.id):
        assert not PassageCorrection.objects.get().is_source_changed


def test_correcting_a_correction_changes_its_words(cast, base, corrected):
    with tenant_tx(cast.tenant.id):
        chunk = Chunk.objects.get(document_id=corrected.replacement_id)
        again = correction_create(actor=SYSTEM, chunk=chunk, text="到北京的运费是十八元。")
        assert again.id == corrected.id
    ingest()
    text = found(cast, base)
    assert "十八元" in text
    assert "十五元" not in text
    with tenant_tx(cast.tenant.id):
        assert PassageCorrection.objects.count() == 1


def test_correction_taken_back_lets_the_source_speak_again(cast, base, corrected):
    with tenant_tx(cast.tenant.id):
        correction_remove(actor=SYSTEM, correction=correction_get(corrected.id))
    ingest()
    text = found(cast, base)
    assert "十二元" in text
    assert "十五元" not in text


def test_empty_and_unchanged_words_are_refused(cast, base):
    document = upload(cast, base, FEES)
    with tenant_tx(cast.tenant.id):
        chunk = Chunk.objects.get(document=document, text__contains="十二元")
        with pytest.raises(Invalid):
            correction_create(actor=SYSTEM, chunk=chunk, text="  ")
        with pytest.raises(Conflict):
            correction_create(actor=SYSTEM, chunk=chunk, text=chunk.text)


def test_stranger_cannot_find_a_correction(cast, base, corrected):
    with tenant_tx(cast.other_tenant.id), pytest.raises(NotFound):
        correction_get(corrected.id)
