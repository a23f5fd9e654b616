"""Daily upkeep throws away what has served its time and nothing else."""

import os
import time
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from furrow.accounts.models import SignInLink
from furrow.accounts.services import sign_in_link_create
from furrow.core import jobs
from furrow.core.context import tenant_tx
from furrow.core.keys import file_key
from furrow.core.models import Job
from furrow.knowledge.models import (
    Chunk,
    ChunkVector,
    Document,
    DocumentVersion,
    KnowledgeBase,
    LexicalPosting,
    LexicalSegment,
)
from furrow.knowledge.services.bases import knowledge_base_create, knowledge_base_delete
from furrow.knowledge.services.documents import (
    document_delete,
    document_restore,
    document_upload,
)
from furrow.ops.upkeep import upkeep
from furrow.tenants.models import AuditEntry, IdempotencyRecord
from furrow.tenants.services import SYSTEM
from tests import fixtures_embeddings
from tests.knowledge import conftest as knowledge

_embedding_process = fixtures_embeddings._embedding_process
embedding_server = fixtures_embeddings.embedding_server
shop = knowledge.shop

LONG_AGO = timedelta(days=60)


def stored(cast, name: str) -> Path:
    """A file on disk as an upload leaves it, two days old."""
    path = Path(settings.MEDIA_ROOT) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(path.read_bytes() if path.exists() else b"x")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(path, (two_days_ago, two_days_ago))
    return path


def test_orphan_goes_and_a_documents_file_stays(cast, tmp_path):
    source = tmp_path / "a.md"
    source.write_text("# Kept")
    with tenant_tx(cast.tenant.id), source.open("rb") as file:
        base = knowledge_base_create(actor=SYSTEM, name="KB")
        document_upload(actor=SYSTEM, knowledge_base=base, file=file, file_name="a.md")
        kept = stored(cast, DocumentVersion.objects.get().file_key)
    orphan = stored(cast, file_key(cast.tenant.id, "documents", uuid.uuid4()))
    assert upkeep()["files"] >= 1
    assert kept.exists()
    assert not orphan.exists()


def test_fresh_file_without_a_row_is_left_alone(cast):
    path = Path(settings.MEDIA_ROOT) / file_key(cast.tenant.id, "documents", uuid.uuid4())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"an upload that is not committed yet")
    upkeep()
    assert path.exists()


def test_old_rows_go_and_young_ones_stay(cast):
    sign_in_link_create(user=cast.owner)
    with tenant_tx(cast.tenant.id):
        for key in ("old", "young"):
            IdempotencyRecord.objects.create(caller="c", key=key, fingerprint="f")
        IdempotencyRecord.objects.filter(key="old").update(created_at=timezone.now() - LONG_AGO)
        for _ in range(2):
            jobs.job_enqueue(kind="x", subject_id=uuid.uuid4(), lane="test")
        first = Job.objects.first()
        Job.objects.filter(id=first.id).update(state="done", finished_at=timezone.now() - LONG_AGO)
    counts = upkeep()
    assert (counts["keys"], counts["jobs"], counts["links"]) == (1, 1, 0)
    with tenant_tx(cast.tenant.id):
        assert IdempotencyRecord.objects.get().key == "young"
        assert Job.objects.get().id != first.id
    SignInLink.objects.update(expires_at=timezone.now() - LONG_AGO)
    assert upkeep()["links"] == 1


def deleted_document(shop, *, ago: timedelta) -> tuple[Document, Path]:
    document = shop.upload("# Prices\n\nThe red box costs twelve yuan.", name=f"{uuid.uuid4()}.md")
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        key = DocumentVersion.objects.get(document=document).file_key
        document_delete(actor=SYSTEM, document=document)
        Document.objects.filter(id=document.id).update(deleted_at=timezone.now() - ago)
    return document, stored(shop, key)


def test_long_deleted_document_goes_with_its_file(shop):
    old, old_file = deleted_document(shop, ago=LONG_AGO)
    young, young_file = deleted_document(shop, ago=timedelta(days=29))
    counts = upkeep()
    assert counts["documents"] == 1
    with tenant_tx(shop.tenant_id):
        assert list(Document.objects.values_list("id", flat=True)) == [young.id]
        assert not Chunk.objects.filter(document=old).exists()
        assert AuditEntry.objects.filter(action="document.purged", object_id=old.id).exists()
    assert (old_file.exists(), young_file.exists()) == (False, True)
    with tenant_tx(shop.tenant_id):
        document_restore(actor=SYSTEM, document=young)
    assert len(shop.found("red box", mode="lexical")) == 1


def test_long_deleted_base_goes_with_everything_in_it(shop):
    shop.add_text("Box", "The red box costs twelve yuan.")
    shop.run_jobs()
    with tenant_tx(shop.tenant_id):
        knowledge_base_delete(actor=SYSTEM, knowledge_base=shop.base)
        KnowledgeBase.objects.update(deleted_at=timezone.now() - LONG_AGO)
        assert LexicalPosting.objects.exists()
    assert upkeep()["bases"] == 1
    with tenant_tx(shop.tenant_id):
        for model in (KnowledgeBase, Document, Chunk, ChunkVector, LexicalSegment, LexicalPosting):
            assert not model.objects.exists(), model
