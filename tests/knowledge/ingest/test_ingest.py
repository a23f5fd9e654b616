"""From an upload to passages that can be found, through replacement, crashes and outages."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone, translation

from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.models import Job
from furrow.knowledge import ingest as ingest_module
from furrow.knowledge import selectors
from furrow.knowledge.models import Chunk, ChunkVector, DocumentVersion, LexicalSegment
from furrow.knowledge.services.documents import document_retry
from furrow.tenants.services import SYSTEM


def lease_expire(shop):
    """What happens when a worker is killed: nobody renews, the sweeper hands the job on."""
    with tenant_tx(shop.tenant_id):
        Job.objects.filter(state="running").update(lease_until=timezone.now() - timedelta(1))
    jobs.sweep()


def status_of(shop, document, language="en"):
    with tenant_tx(shop.tenant_id), translation.override(language):
        return selectors.document_status(shop.fresh(document))


def two_page_pdf(first: str, second: str) -> bytes:
    """The smallest PDF with two pages of text."""
    texts = [f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" for text in (first, second)]
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
        *(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 7 0 R >> >> /Contents {n} 0 R >>"
            for n in (5, 6)
        ),
        *(f"<< /Length {len(text)} >>\nstream\n{text}\nendstream" for text in texts),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    file = io.BytesIO(b"")
    file.write(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(file.tell())
        file.write(f"{number} 0 obj\n{body}\nendobj\n".encode())
    start = file.tell()
    rows = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    file.write(f"xref\n0 8\n0000000000 65535 f \n{rows}".encode())
    file.write(f"trailer << /Size 8 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode())
    return file.getvalue()


def test_uploaded_file_becomes_ready_and_is_found(shop):
    document = shop.upload("# Shipping\n\nApples leave the orchard on Monday.\n", "shipping.md")
    assert document.status == "queued"
    shop.run_jobs()
    document = shop.fresh(document)
    assert (document.status, document.error_code) == ("ready", "")
    hit = shop.search("apples monday", mode="lexical").hits[0]
    assert hit.document_id == document.id
    assert "Apples leave the orchard" in hit.text
    assert document.live_version.text[hit.start : hit.end] == hit.text


def test_hit_names_the_page_it_stands_on(shop):
    pdf = two_page_pdf("Parcels leave on Mondays only.", "Refunds take seven working days.")
    shop.upload(pdf, "terms.pdf")
    shop.run_jobs()
    # Both pages are short and make one passage; each sentence still knows its own page.
    hit = shop.search("refunds working days").hits[0]
    assert hit.page == 1
    assert hit.page_at(hit.start + hit.text.index("Refunds")) == 2
    assert hit.page_at(hit.start + hit.text.index("Parcels")) == 1


def test_new_version_replaces_the_old_one_in_one_step(shop):
    first = shop.upload("# Prices\n\nFuji costs eleven yuan.", "prices.md")
    shop.run_jobs()
    second = shop.upload("# Prices\n\nFuji costs twelve yuan.", "prices.md")
    assert second.id == first.id
    # Until the new words are ready the old ones serve.
    assert "eleven" in shop.search("Fuji price").hits[0].text
    shop.run_jobs()
    hits = shop.search("Fuji costs yuan").hits
    assert ["twelve" in hit.text for hit in hits] == [True]
    with tenant_tx(shop.tenant_id):
        states = DocumentVersion.objects.order_by("number").values_list("state", flat=True)
        assert list(states) == ["retired", "live"]
        assert Chunk.objects.exclude(version_id=shop.fresh(first).live_version_id).count() == 0
        assert ChunkVector.objects.count() == Chunk.objects.count()


def test_the_same_file_again_changes_nothing(shop):
    document = shop.upload("Pears ripen in August.", "pears.txt")
    shop.run_jobs()
    again = shop.upload("Pears ripen in August.", "pears.txt")
    assert (again.id, again.is_unchanged) == (document.id, True)
    assert shop.run_jobs() == 0
    assert shop.fresh(document).status == "ready"


def test_only_the_newest_of_two_waiting_uploads_goes_live(shop):
    shop.upload("Delivery takes three days.", "delivery.txt")
    document = shop.upload("Delivery takes five days.", "delivery.txt")
    shop.run_jobs()
    assert "five" in shop.search("delivery days").hits[0].text
    assert shop.fresh(document).status == "ready"
    with tenant_tx(shop.tenant_id):
        assert list(DocumentVersion.objects.order_by("number").values_list("state", flat=True)) == [
            "retired",
            "live",
        ]


def test_upload_during_the_reading_supersedes_it(shop, monkeypatch):
    shop.upload("Delivery takes three days.", "delivery.txt")
    real = ingest_module.embed_texts

    def upload_meanwhile(texts, **options):
        monkeypatch.setattr(ingest_module, "embed_texts", real)
        shop.upload("Delivery takes five days.", "delivery.txt")
        return real(texts, **options)

    monkeypatch.setattr(ingest_module, "embed_texts", upload_meanwhile)
    jobs.run_next("ingest")
    assert shop.search("delivery").hits == []
    with tenant_tx(shop.tenant_id):
        assert Chunk.objects.count() == 0
        assert Job.objects.filter(state="done").count() == 1
    shop.run_jobs()
    assert ["five" in hit.text for hit in shop.search("delivery days").hits] == [True]


@pytest.mark.parametrize("stage", ["chunk_rows", "embed_texts", "version_publish"])
def test_killed_worker_is_resumed_where_it_stopped(shop, monkeypatch, stage):
    document = shop.upload("# Storage\n\nKeep Fuji at zero degrees.", "storage.md")
    with monkeypatch.context() as patched:

        def killed(*args, **kwargs):
            raise SystemExit

        patched.setattr(ingest_module, stage, killed)
        with pytest.raises(SystemExit):
            jobs.run_next("ingest")
    assert shop.search("Fuji degrees").hits == []
    lease_expire(shop)

    def parsed_twice(*args, **kwargs):
        raise AssertionError("the file was read again")

    monkeypatch.setattr(ingest_module, "parse_file", parsed_twice)
    shop.run_jobs()
    assert shop.fresh(document).status == "ready"
    assert len(shop.search("Fuji degrees").hits) == 1


def test_embedded_chunks_are_not_embedded_again(shop, embedding_server, monkeypatch):
    text = "\n\n".join(f"# Part {n}\n\nThe rule number {n} stands here alone." for n in range(6))
    shop.upload(text, "rules.md")
    monkeypatch.setattr(ingest_module, "BATCH_SIZE", 2)
    real = ingest_module.embed_texts
    calls = []

    def killed_at_the_third(texts, **options):
        calls.append(texts)
        if len(calls) == 3:
            raise SystemExit
        return real(texts, **options)

    monkeypatch.setattr(ingest_module, "embed_texts", killed_at_the_third)
    with pytest.raises(SystemExit):
        jobs.run_next("ingest")
    lease_expire(shop)
    shop.run_jobs()
    assert len(embedding_server.embedded) == len(set(embedding_server.embedded)) == 6


def test_worker_that_lost_its_lease_publishes_nothing(shop, monkeypatch):
    document = shop.upload("Cherries sell out in May.", "cherries.txt")
    real = ingest_module.version_publish

    def slow(job, *args):
        with tenant_tx(shop.tenant_id):
            Job.objects.filter(id=job.id).update(lease_token=None, state="queued")
        real(job, *args)

    monkeypatch.setattr(ingest_module, "version_publish", slow)
    jobs.run_next("ingest")
    assert shop.fresh(document).live_version_id is None
    with tenant_tx(shop.tenant_id):
        assert LexicalSegment.objects.count() == 0
    monkeypatch.setattr(ingest_module, "version_publish", real)
    shop.run_jobs()
    assert shop.found("cherries may") == ["cherries.txt"]


def test_document_goes_live_without_vectors_when_the_model_server_is_away(
    shop, embedding_server, settings, monkeypatch
):
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    monkeypatch.setattr("furrow.gateway.embeddings.time.sleep", lambda seconds: None)
    document = shop.upload("Walnuts are cracked by hand.", "walnuts.txt")
    jobs.run_next("ingest")
    status = status_of(shop, document)
    assert status.status == "ready"
    assert [w["code"] for w in status.warnings] == ["vectors_pending"]
    assert [stage.state for stage in status.stages] == ["done", "done", "postponed"]
    found = shop.search("walnuts cracked")
    assert [hit.title for hit in found.hits] == ["walnuts.txt"]
    assert found.notes == ["vectors_unavailable"]
    settings.EMBEDDINGS_URL = embedding_server.url
    shop.run_jobs()
    assert status_of(shop, document).warnings == []
    assert shop.search("walnuts cracked", mode="vector").hits[0].scores["vector"] > 0


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"Dear customer, hello.", "letter.pdf", "wrong_type"),
        (b"%PDF-1.4 broken", "broken.pdf", "damaged"),
    ],
)
def test_unreadable_file_fails_with_a_sentence_in_both_languages(shop, content, name, code):
    document = shop.upload(content, name)
    shop.run_jobs()
    english, chinese = status_of(shop, document, "en"), status_of(shop, document, "zh-hans")
    assert english.status == "failed"
    assert english.error["code"] == code
    assert "The file is stored" in english.error["message"]
    assert "文件" in chinese.error["message"]


def test_three_strikes_end_as_failed_and_a_retry_goes_on(shop, monkeypatch):
    document = shop.upload("Plums are picked at dawn.", "plums.txt")
    with monkeypatch.context() as patched:

        def crash(*args, **kwargs):
            raise ZeroDivisionError

        patched.setattr(ingest_module, "chunk_rows", crash)
        assert shop.run_jobs() == 3
    status = status_of(shop, document)
    assert (status.status, status.error["code"]) == ("failed", "internal")
    assert "Something went wrong on our side" in status.error["message"]
    assert [stage.state for stage in status.stages] == ["done", "failed", "waiting"]
    with tenant_tx(shop.tenant_id):
        document_retry(actor=SYSTEM, document=shop.fresh(document))
    shop.run_jobs()
    assert status_of(shop, document).status == "ready"


def test_failed_new_version_leaves_the_old_one_serving(shop):
    document = shop.upload("Grapes are seedless.", "grapes.pdf", external_id="grapes")
    with tenant_tx(shop.tenant_id):
        DocumentVersion.objects.update(file_name="grapes.txt")
    shop.run_jobs()
    shop.upload(b"%PDF-1.4 broken", "grapes.pdf", external_id="grapes")
    shop.run_jobs()
    assert shop.fresh(document).status == "failed"
    assert "seedless" in shop.search("grapes").hits[0].text


def test_waiting_document_knows_its_place(shop):
    documents = [shop.upload(f"Text number {n}.", f"{n}.txt") for n in range(3)]
    with tenant_tx(shop.tenant_id):
        statuses = selectors.document_statuses([shop.fresh(d) for d in documents])
    assert [statuses[d.id].place_in_queue for d in documents] == [0, 1, 2]


def test_statuses_of_a_page_cost_a_fixed_number_of_queries(shop, django_assert_num_queries):
    documents = [shop.upload(f"Text number {n}.", f"{n}.txt") for n in range(4)]
    with tenant_tx(shop.tenant_id):
        with django_assert_num_queries(8):
            selectors.document_statuses(documents[:1])
        with django_assert_num_queries(8):
            selectors.document_statuses(documents)
