"""Knowledge through its pages: upload, read, find, delete and take back."""

import re
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from furrow.assistants import selectors
from furrow.assistants.services import assistant_create
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.knowledge.models import Chunk, Document, KnowledgeBase
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.documents import document_add_text
from furrow.tenants.services import SYSTEM
from tests import fixtures_embeddings
from tests.dashboard.conftest import read_document

_embedding_process = fixtures_embeddings._embedding_process
embedding_server = fixtures_embeddings.embedding_server


def documents(cast) -> set[str]:
    with tenant_tx(cast.tenant.id):
        return set(Document.objects.filter(deleted_at=None).values_list("title", flat=True))


def test_first_upload_needs_one_click_to_a_shelf(owner, cast, page):
    response = owner.post(page("base_first"))
    with tenant_tx(cast.tenant.id):
        base = KnowledgeBase.objects.get()
    assert response["Location"] == page("base", base.id)
    owner.post(page("base_first"))
    with tenant_tx(cast.tenant.id):
        assert KnowledgeBase.objects.count() == 1


def test_base_is_made_and_named_by_its_owner(owner, cast, page):
    owner.post(page("base_create"), {"name": "Rules", "language": "en", "description": ""})
    with tenant_tx(cast.tenant.id):
        assert KnowledgeBase.objects.get().language == "en"
    refused = owner.post(page("base_create"), {"name": " ", "language": "en"})
    assert refused.context["form"].errors["name"]


def test_several_files_are_uploaded_without_scripts(owner, cast, shop, page):
    files = [SimpleUploadedFile(name, b"some words") for name in ("one.txt", "two.txt")]
    response = owner.post(page("document_upload", shop.base.id), {"files": files})
    assert response.status_code == 302
    assert {"one.txt", "two.txt"} <= documents(cast)


def test_refused_file_is_named_and_the_other_kept(owner, cast, shop, page):
    files = [SimpleUploadedFile("good.txt", b"some words"), SimpleUploadedFile("empty.txt", b" ")]
    files[1].size = 0
    files[1].file.truncate(0)
    response = owner.post(page("document_upload", shop.base.id), {"files": files})
    assert response.status_code in {200, 302}
    assert "empty.txt" not in documents(cast)


def test_scripts_read_json_and_a_refusal_with_its_reason(owner, cast, shop, page):
    url = page("document_upload", shop.base.id)
    file = SimpleUploadedFile("list.txt", b"apples")
    response = owner.post(url, {"files": file}, headers={"Accept": "application/json"})
    assert response.status_code == 201
    assert len(response.json()["documents"]) == 1
    gone = page("document_upload", shop.chunks[0].id)
    missing = owner.post(gone, {"files": file}, headers={"Accept": "application/json"})
    assert missing.status_code == 404
    assert missing.json()["error"]["message"]


def test_deleted_document_comes_back_by_undo(owner, cast, shop, page):
    response = owner.post(page("document_delete", shop.document.id), follow=True)
    assert documents(cast) == set()
    undo = page("document_restore", shop.document.id)
    assert f'action="{undo}"' in response.content.decode()
    owner.post(undo)
    assert documents(cast) == {"发货与售后"}


def test_deleted_base_comes_back_by_undo(owner, cast, shop, page):
    owner.post(page("base_delete", shop.base.id))
    assert owner.get(page("base", shop.base.id)).status_code == 404
    owner.post(page("base_restore", shop.base.id))
    assert owner.get(page("base", shop.base.id)).status_code == 200


def test_document_page_shows_text_and_passages_and_marks_a_citation(owner, cast, shop, page):
    url = page("document", shop.document.id)
    response = owner.get(f"{url}?start=5&end=20")
    shown = "".join(segment.text for segment in response.context["segments"])
    assert shown.startswith("发货规则")
    assert "24小时" in shown
    cited = "".join(s.text for s in response.context["segments"] if s.is_cited)
    assert cited == shown[5:20]
    assert response.content.decode().count('class="passage-card') == 2


def test_passage_is_switched_off_and_on(owner, cast, shop, page):
    url = page("chunk_update", shop.chunks[0].id)
    owner.post(url, {"is_enabled": "0"})
    with tenant_tx(cast.tenant.id):
        assert not Chunk.objects.get(id=shop.chunks[0].id).is_enabled
    partial = owner.post(url, {"is_enabled": "1"}, headers={"HX-Request": "true"})
    assert f'id="passage-{shop.chunks[0].id}"' in partial.content.decode()
    with tenant_tx(cast.tenant.id):
        assert Chunk.objects.get(id=shop.chunks[0].id).is_enabled


def test_dates_in_the_wrong_order_are_explained(owner, cast, shop, page):
    data = {"title": "x", "valid_from": "2026-05-02", "valid_to": "2026-05-01"}
    response = owner.post(page("document_update", shop.document.id), data)
    assert response.context["form"].errors["valid_to"]


def test_original_is_a_download_never_a_page(owner, cast, shop, page):
    file = SimpleUploadedFile("page.html", b"<script>alert(1)</script>")
    url = page("document_upload", shop.base.id)
    made = owner.post(url, {"files": file}, headers={"Accept": "application/json"}).json()
    response = owner.get(page("document_file", made["documents"][0], 1))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    assert b"".join(response.streaming_content) == b"<script>alert(1)</script>"


def test_new_version_of_another_kind_is_refused(owner, cast, shop, page):
    file = SimpleUploadedFile("new.pdf", b"%PDF-1.4")
    response = owner.post(page("document_replace", shop.document.id), {"file": file})
    assert response.context["form"].errors["file"]


def test_new_version_keeps_the_document(owner, cast, shop, page):
    file = SimpleUploadedFile("other name.txt", "新规则".encode())
    owner.post(page("document_replace", shop.document.id), {"file": file})
    assert documents(cast) == {"发货与售后"}
    response = owner.get(page("document", shop.document.id))
    assert [version.number for version in response.context["versions"]] == [2, 1]


def test_search_tells_not_tried_from_nothing_found(owner, cast, shop, page):
    owner.cookies["django_language"] = "en"
    assert "Not tried yet" in owner.get(page("search")).content.decode()
    found = owner.get(page("search"), {"q": "zebra", "mode": "lexical"}).content.decode()
    assert "Nothing found" in found
    assert "Not tried yet" not in found


def test_search_in_the_models_language_asks_it_outside_a_transaction(owner, shop, page):
    assert owner.get(page("search"), {"q": "when is shipping free"}).status_code == 200


def test_search_page_explains_each_hit_and_each_cut(owner, cast, page, embedding_server):
    owner.cookies["django_language"] = "en"
    today = timezone.localdate()
    with tenant_tx(cast.tenant.id):
        base = knowledge_base_create(actor=SYSTEM, name="Rules")
        assistant = assistant_create(actor=SYSTEM, name="Helper", knowledge_base_ids=[base.id])
        for title, text, last in (
            ("Claims", "Rotten fruit: send photos within two days.", None),
            ("Claims again", "Rotten fruit: send photos within two days!", None),
            ("Last year", "Rotten fruit: send photos within one day.", today - timedelta(days=1)),
        ):
            document_add_text(
                actor=SYSTEM, knowledge_base=base, title=title, text=text, valid_to=last
            )
    while jobs.run_next("ingest"):
        pass
    asked = {"q": "photos of rotten fruit", "mode": "hybrid", "limit": 5}
    shown = owner.get(page("search"), asked).content.decode()
    assert "<mark>photos</mark>" in shown.lower()
    assert "Matched" in shown
    assert re.search(r"Words: [\d.]+ \(place 1\)", shown)
    assert re.search(r"Meaning: [\d.]+ \(place \d\)", shown)
    assert "they are shown once" in shown
    assert "Its document is past its last valid day." in shown
    assert "It says the same as a passage above." in shown
    # One button hands the settings on.
    assert page("search_apply") in shown
    owner.post(page("search_apply"), {"assistant": assistant.id, "mode": "hybrid", "limit": 5})
    with tenant_tx(cast.tenant.id):
        assert selectors.assistant_get(assistant.id).settings["search"] == {
            "mode": "hybrid",
            "limit": 5,
        }
    earlier = owner.get(page("search"), asked | {"valid_on": today - timedelta(days=1)})
    assert "Last year" in [hit.title for hit in earlier.context["result"].hits]


def test_what_expires_soon_is_listed(owner, cast, shop, page):
    today = timezone.localdate()
    with tenant_tx(cast.tenant.id):
        for title, days in (("Gone", -1), ("Soon", 14), ("Later", 15)):
            document, _ = read_document(shop.base, title)
            document.valid_to = today + timedelta(days=days)
            document.save()
    expiring = owner.get(page("findings", shop.base.id)).context["expiring"]
    assert [document.title for document in expiring] == ["Gone", "Soon"]
