"""Deletes for good what its owner deleted long ago. Until then it can be restored."""

from datetime import datetime
from uuid import UUID

from furrow.core.context import tenant_tx, unscoped
from furrow.knowledge.models import (
    Chunk,
    Document,
    KnowledgeBase,
    LexicalPosting,
    LexicalSegment,
)
from furrow.tenants.services import SYSTEM, audit

# A day's share; the rest goes the next day.
_MOST_AT_ONCE = 2_000


def deleted_purge(*, before: datetime) -> tuple[int, int]:
    """How many (documents, knowledge bases) went. Each is a transaction of its own; stored files lose their last
    row here and are swept with the other orphans.
    """
    with unscoped("find documents and knowledge bases that were deleted long ago"):
        documents = list(
            Document.objects.filter(deleted_at__lt=before).values_list("tenant_id", "id")[
                :_MOST_AT_ONCE
            ]
        )
        bases = list(
            KnowledgeBase.objects.filter(deleted_at__lt=before).values_list("tenant_id", "id")
        )
    gone = sum(_document_purge(tenant, found, before) for tenant, found in documents)
    return gone, sum(_base_purge(tenant, found, before) for tenant, found in bases)


def _document_purge(tenant_id: UUID, document_id: UUID, before: datetime) -> bool:
    with tenant_tx(tenant_id):
        # Once more under a lock: it may have been restored in between.
        document = (
            Document.objects.select_for_update()
            .filter(id=document_id, deleted_at__lt=before)
            .first()
        )
        if document is None:
            return False
        document.delete()
        audit(SYSTEM, "document.purged", object_type="document", object_id=document_id)
    return True


def _base_purge(tenant_id: UUID, base_id: UUID, before: datetime) -> bool:
    with tenant_tx(tenant_id):
        base = (
            KnowledgeBase.objects.select_for_update()
            .filter(id=base_id, deleted_at__lt=before)
            .first()
        )
        if base is None:
            return False
        LexicalPosting.objects.filter(knowledge_base_id=base_id).delete()
        LexicalSegment.objects.filter(knowledge_base=base).delete()
        Chunk.objects.filter(knowledge_base=base).delete()
        base.delete()
        audit(SYSTEM, "knowledge_base.purged", object_type="knowledge_base", object_id=base_id)
    return True
