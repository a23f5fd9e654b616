"""Which works of a knowledge base name each other: one job counts after documents came or went."""

from collections import defaultdict
from uuid import UUID

from django.db import connection

from furrow.core.context import current_tenant_id, tenant_tx
from furrow.core.extensions import JobRun
from furrow.knowledge.models import Document, DocumentVersion
from furrow.knowledge.text.names import families_cited, family

_AT_ONCE = 500


class RelationsHandler:
    """Runs "knowledge.relations" on a knowledge base."""

    def run(self, job: JobRun) -> None:
        while _unread(job):
            job.renew()
        with tenant_tx(job.tenant_id):
            relations_count(job.subject_id)
            job.renew()

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        """Searches lose a nuance, nothing else; the next document asks for the count again."""


def relations_note(document: Document, text: str) -> bool:
    """Notes on the unsaved document what it is called and what it names; whether others may be concerned."""
    before = (document.family, document.cites)
    document.family, document.cites = family(document.title), families_cited(text)
    return bool(document.cites) or before != (document.family, document.cites)


def relations_count(knowledge_base_id: UUID) -> int:
    """Brings `cited_by` in line; the number of documents that changed."""
    documents = Document.objects.filter(knowledge_base_id=knowledge_base_id, deleted_at=None)
    citing: dict[str, set[str]] = defaultdict(set)
    rows = list(documents.values_list("id", "family", "cites", "cited_by"))
    for _, own, cites, _ in rows:
        for name in cites or ():
            if name != own:
                citing[name].add(own)
    changed = [
        (document_id, len(citing.get(own, ())))
        for document_id, own, _, cited_by in rows
        if cited_by != len(citing.get(own, ()))
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE knowledge_document d SET cited_by = fresh.cited_by"
            " FROM unnest(%s::uuid[], %s::int4[]) AS fresh(id, cited_by)"
            " WHERE d.tenant_id = %s AND d.id = fresh.id",
            [[row[0] for row in changed], [row[1] for row in changed], current_tenant_id()],
        )
    return len(changed)


def _unread(job: JobRun) -> bool:
    """Notes documents from before this was known; whether there may be more."""
    with tenant_tx(job.tenant_id):
        documents = list(
            Document.objects.filter(
                knowledge_base_id=job.subject_id, cites=None, live_version__isnull=False
            ).only("id", "title", "family", "cites", "live_version_id")[:_AT_ONCE]
        )
        texts = dict(
            DocumentVersion.objects.filter(
                id__in=[document.live_version_id for document in documents]
            ).values_list("id", "text")
        )
        for document in documents:
            relations_note(document, texts.get(document.live_version_id, ""))
        Document.objects.bulk_update(documents, ["family", "cites"])
    return len(documents) == _AT_ONCE
