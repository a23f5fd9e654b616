"""Writes on documents: what is accepted, what is refused, and what the disk says."""

import errno
import io
from datetime import date
from pathlib import Path

import pytest

from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.egress import Fetched
from furrow.core.errors import Conflict, Invalid, NotFound, TooLarge
from furrow.knowledge import fetching, selectors, storage
from furrow.knowledge.models import Document, DocumentVersion
from furrow.knowledge.services.documents import (
    document_add_url,
    document_delete,
    document_restore,
    document_retry,
    document_update,
)
from furrow.tenants.models import AuditEntry
from furrow.tenants.services import SYSTEM


def stored_files(settings) -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_file_lies_under_a_name_its_owner_did_not_choose(shop, settings):
    shop.upload("Hello there.", "../../etc/秘密 plan.txt")
    (path,) = stored_files(settings)
    assert "plan" not in str(path)
    assert shop.tenant_id.hex in str(path)
    with tenant_tx(shop.tenant_id):
        version = DocumentVersion.objects.get()
        assert version.file_name == "秘密 plan.txt"
        assert version.size_bytes == 12
        assert selectors.version_file(version).read_text() == "Hello there."


def test_too_large_file_leaves_nothing(shop, settings):
    settings.UPLOAD_MAX_BYTES = 10
    with pytest.raises(TooLarge):
        shop.upload("Longer than ten bytes.")
    assert stored_files(settings) == []
    with tenant_tx(shop.tenant_id):
        assert Document.objects.count() == 0


def test_full_disk_leaves_nothing(shop, settings, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(storage.StorageFull) as caught:
        shop.upload("Hello there.")
    assert (caught.value.status, caught.value.code) == (507, "storage_full")
    assert stored_files(settings) == []


def test_refused_upload_leaves_no_file(shop, settings):
    def broken(*args):
        raise Conflict("no")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("furrow.knowledge.services.documents.version_add", broken)
        with pytest.raises(Conflict):
            shop.upload("Hello there.")
    assert stored_files(settings) == []


def test_empty_file_is_refused(shop):
    with pytest.raises(Invalid):
        shop.upload(b"")


def test_same_external_id_is_the_same_document(shop):
    first = shop.upload("One.", "a.txt", external_id="x")
    second = shop.upload("Two.", "b.txt", external_id="x", title="Second")
    assert first.id == second.id
    assert shop.fresh(first).title == "Second"


def test_same_file_name_with_another_external_id_is_another_document(shop):
    assert shop.upload("One.", "a.txt").id != shop.upload("One.", "a.txt", external_id="x").id


def test_typed_texts_of_one_title_stay_apart(shop):
    assert shop.add_text("Note", "One.").id != shop.add_text("Note", "Two.").id


@pytest.mark.parametrize(
    "fields",
    [
        {"valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)},
        {"external_id": "x" * 201},
        {"metadata": ["no", "object"]},
        {"metadata": {"much": "x" * 20_000}},
    ],
)
def test_wrong_details_are_refused(shop, settings, fields):
    with pytest.raises(Invalid):
        shop.upload("Hello.", **fields)
    assert stored_files(settings) == []


def test_title_is_taken_from_the_document_unless_given(shop):
    found = shop.upload("# Care of pears\n\nKeep them cool.", "a.md")
    given = shop.upload("# Care of plums\n\nKeep them warm.", "b.md", title="Plums")
    shop.run_jobs()
    assert shop.fresh(found).title == "Care of pears"
    assert shop.fresh(given).title == "Plums"


def test_deleted_document_cannot_be_got(shop, cast):
    document = shop.upload("Hello there.")
    with tenant_tx(cast.other_tenant.id), pytest.raises(NotFound):
        selectors.document_get(document.id)
    with tenant_tx(shop.tenant_id):
        assert selectors.document_get(document.id) == document
        document_delete(actor=SYSTEM, document=document)
        with pytest.raises(NotFound):
            selectors.document_get(document.id)
        assert list(selectors.documents_list(shop.base)) == []
        assert selectors.document_get_deleted(document.id) == document


def test_document_deleted_while_waiting_is_read_after_its_restoration(shop):
    document = shop.upload("Hello there, apples.", "a.txt")
    with tenant_tx(shop.tenant_id):
        document_delete(actor=SYSTEM, document=document)
    shop.run_jobs()
    assert shop.fresh(document).live_version is None
    with tenant_tx(shop.tenant_id):
        document_restore(actor=SYSTEM, document=document)
    shop.run_jobs()
    assert shop.found("apples") == ["a.txt"]


def test_restoring_into_a_taken_external_id_is_refused(shop):
    first = shop.upload("One.", external_id="x")
    with tenant_tx(shop.tenant_id):
        document_delete(actor=SYSTEM, document=first)
    shop.upload("Two.", external_id="x")
    with tenant_tx(shop.tenant_id), pytest.raises(Conflict):
        document_restore(actor=SYSTEM, document=first)


def test_only_a_failed_document_is_tried_again(shop):
    document = shop.upload("Hello.")
    with tenant_tx(shop.tenant_id), pytest.raises(Conflict):
        document_retry(actor=SYSTEM, document=document)


def test_unknown_field_is_refused(shop):
    document = shop.upload("Hello.")
    with tenant_tx(shop.tenant_id), pytest.raises(Invalid):
        document_update(actor=SYSTEM, document=document, status="ready")


def test_dates_can_be_changed_without_reading_again(shop):
    document = shop.upload("Hello there, apples.", "a.txt")
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        document_update(actor=SYSTEM, document=document, valid_to=date(2020, 1, 1))
    assert shop.run_jobs() == 0
    assert shop.found("apples") == []


def test_writes_are_audited(shop):
    document = shop.upload("Hello.")
    with tenant_tx(shop.tenant_id):
        document_delete(actor=SYSTEM, document=document)
        actions = list(AuditEntry.objects.order_by("created_at").values_list("action", flat=True))
    assert actions[-2:] == ["document.created", "document.deleted"]


def test_web_page_is_fetched_by_the_job(shop, monkeypatch):
    def fetched(url, *, max_bytes):
        page = b"<html><body><article><p>Apples are sold by the crate here.</p></article></body></html>"
        return Fetched(url, page, "text/html; charset=utf-8")

    monkeypatch.setattr(fetching, "fetch_public", fetched)
    with tenant_tx(shop.tenant_id):
        document = document_add_url(
            actor=SYSTEM, knowledge_base=shop.base, url="https://example.org/about"
        )
    shop.run_jobs()
    assert shop.fresh(document).status == "ready"
    assert shop.search("apples crate").hits[0].document_id == document.id


def test_name_of_a_private_address_ends_as_failed_with_a_sentence(shop, monkeypatch):
    inside = [(2, 1, 6, "", ("10.0.0.5", 443))]
    monkeypatch.setattr("furrow.core.egress.socket.getaddrinfo", lambda *args, **named: inside)
    with tenant_tx(shop.tenant_id):
        document = document_add_url(
            actor=SYSTEM, knowledge_base=shop.base, url="https://intranet.example.org/admin"
        )
    jobs.run_next("ingest")
    with tenant_tx(shop.tenant_id):
        status = selectors.document_status(shop.fresh(document))
    assert (status.status, status.error["code"]) == ("failed", "address_refused")


@pytest.mark.parametrize(
    "url", ["", "ftp://example.org/x", "javascript:alert(1)", "http://", "http://127.0.0.1/admin"]
)
def test_what_is_no_web_address_is_refused(shop, url):
    with tenant_tx(shop.tenant_id), pytest.raises(Invalid):
        document_add_url(actor=SYSTEM, knowledge_base=shop.base, url=url)


def test_stream_that_breaks_leaves_no_part(shop, settings):
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise ConnectionResetError

    with tenant_tx(shop.tenant_id), pytest.raises(ConnectionResetError):
        storage.file_save(Broken(), shop.base.id)
    assert stored_files(settings) == []
