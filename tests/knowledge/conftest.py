"""A knowledge base of the first tenant, and hands to run its jobs."""

import io
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from furrow.core import jobs
from furrow.core.context import tenant_context, tenant_tx
from furrow.core.models import Job
from furrow.knowledge import search as searching
from furrow.knowledge.models import Document, KnowledgeBase
from furrow.knowledge.services.bases import knowledge_base_create
from furrow.knowledge.services.documents import document_add_text, document_upload
from furrow.tenants.services import SYSTEM
from tests import fixtures_embeddings
from tests.replay import made_once

_embedding_process = fixtures_embeddings._embedding_process
embedding_server = fixtures_embeddings.embedding_server
no_embedding_server = fixtures_embeddings.no_embedding_server


@dataclass
class Shop:
    """The first tenant's knowledge, through the stable doors."""

    tenant_id: UUID
    base: KnowledgeBase

    def upload(self, text: str | bytes, name: str = "notes.md", **fields: Any) -> Document:
        content = text.encode() if isinstance(text, str) else text
        with tenant_tx(self.tenant_id):
            return document_upload(
                actor=SYSTEM,
                knowledge_base=self.base,
                file=io.BytesIO(content),
                file_name=name,
                **fields,
            )

    def add_text(self, title: str, text: str, **fields: Any) -> Document:
        with tenant_tx(self.tenant_id):
            return document_add_text(
                actor=SYSTEM, knowledge_base=self.base, title=title, text=text, **fields
            )

    def run_jobs(self) -> int:
        """Runs what is due, also what asked to wait a little; the number of runs."""
        count = 0
        while count < 50:
            with tenant_tx(self.tenant_id):
                Job.objects.filter(state="queued").update(run_after=timezone.now())
            if not jobs.run_next("ingest"):
                return count
            count += 1
        raise AssertionError("the jobs never end")

    def fresh(self, document: Document) -> Document:
        with tenant_tx(self.tenant_id):
            return Document.objects.select_related("live_version").get(id=document.id)

    def search(self, query: str, **options: Any) -> searching.SearchResult:
        with tenant_context(self.tenant_id):
            return searching.search(knowledge_base_ids=[self.base.id], query=query, **options)

    def found(self, query: str, **options: Any) -> list[str]:
        """The titles of the hits, best first."""
        return [hit.title for hit in self.search(query, **options).hits]


@pytest.fixture
def shop(cast: Any, request: pytest.FixtureRequest) -> Shop:
    request.getfixturevalue("embedding_server")
    return made_once("knowledge", lambda: _shop(cast.tenant.id))


def _shop(tenant_id: UUID) -> Shop:
    with tenant_tx(tenant_id):
        return Shop(tenant_id, knowledge_base_create(actor=SYSTEM, name="Shop"))
