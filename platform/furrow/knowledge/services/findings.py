"""The owner's choices about findings, inside `tenant_tx`."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from furrow.core.errors import Invalid
from furrow.knowledge.models import Document, Finding, FindingChoice, KnowledgeBase
from furrow.knowledge.selectors import findings_of
from furrow.knowledge.services.versions import document_lock, version_add_renamed
from furrow.tenants.services import Actor, audit

MAX_AT_ONCE = 500


@transaction.atomic
def findings_decide(
    *, actor: Actor, knowledge_base: KnowledgeBase, finding_ids: Sequence[UUID], state: str
) -> int:
    """Keeps or leaves out the words of these findings, here and in every later upload of the base; `open` takes
    the choice back. Documents concerned are cut and indexed again in the background. How many changed.
    """
    if state not in Finding.State.values:
        raise Invalid(_("Choose whether to keep or to leave out."), field="state")
    if len(finding_ids) > MAX_AT_ONCE:
        raise Invalid(_("Choose at most %(count)d at once.") % {"count": MAX_AT_ONCE})
    chosen = findings_of(knowledge_base).filter(id__in=list(finding_ids)).exclude(state=state)
    rows = list(chosen.only("id", "kind", "sha256", "document_id"))
    hashes = {(row.kind, row.sha256) for row in rows}
    _remember(knowledge_base, hashes, state)
    # The same words in other documents follow the same choice.
    alike = findings_of(knowledge_base).filter(sha256__in=[sha256 for _, sha256 in hashes])
    documents = set(alike.values_list("document_id", flat=True))
    Finding.objects.filter(id__in=list(alike.values_list("id", flat=True))).update(state=state)
    for document in Document.objects.filter(id__in=documents, deleted_at=None).order_by("id"):
        version_add_renamed(document_lock(document))
    audit(
        actor,
        "findings.decided",
        object_type="knowledge_base",
        object_id=knowledge_base.id,
        state=state,
        count=len(rows),
    )
    return len(rows)


def _remember(knowledge_base: KnowledgeBase, hashes: set[tuple[str, str]], state: str) -> None:
    FindingChoice.objects.filter(
        knowledge_base=knowledge_base, sha256__in=[sha256 for _, sha256 in hashes]
    ).delete()
    if state != Finding.State.OPEN:
        for kind, sha256 in sorted(hashes):
            FindingChoice.objects.create(
                knowledge_base=knowledge_base, kind=kind, sha256=sha256, state=state
            )
