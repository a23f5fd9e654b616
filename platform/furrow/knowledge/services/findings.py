"""The owner's choices about findings, inside `tenant_tx`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from furrow.core.errors import Invalid, NotFound
from furrow.knowledge.cleaning.contradictions import KIND
from furrow.knowledge.models import Document, Finding, FindingChoice, KnowledgeBase
from furrow.knowledge.selectors import findings_of
from furrow.knowledge.services.versions import document_lock, version_add_renamed
from furrow.tenants.services import Actor, audit

MAX_AT_ONCE = 500


@dataclass
class Decided:
    """How many findings were chosen, and the states before by `sha256`, for an undo."""

    count: int = 0
    before: dict[str, str] = field(default_factory=dict)


@transaction.atomic
def findings_decide(
    *, actor: Actor, knowledge_base: KnowledgeBase, finding_ids: Sequence[UUID], state: str
) -> Decided:
    """Keeps or leaves out the words of these findings, here and in every later upload of the base; `open` takes
    the choice back. Documents concerned are cut and indexed again in the background.
    """
    if state not in Finding.State.values:
        raise Invalid(_("Choose whether to keep or to leave out."), field="state")
    if len(finding_ids) > MAX_AT_ONCE:
        raise Invalid(_("Choose at most %(count)d at once.") % {"count": MAX_AT_ONCE})
    chosen = findings_of(knowledge_base).filter(id__in=list(finding_ids)).exclude(state=state)
    return _decide(actor, knowledge_base, {state: chosen})


@transaction.atomic
def disputes_settle(
    *,
    actor: Actor,
    knowledge_base: KnowledgeBase,
    finding_id: UUID | None = None,
    document_id: UUID | None = None,
) -> Decided:
    """Of documents that disagree, one is right, at one place or wherever it is in dispute: its words are kept, what
    the others say there is left out.
    """
    disputed = findings_of(knowledge_base, kind=KIND)
    is_right = Q(document_id=document_id, state=Finding.State.OPEN)
    right = disputed.filter(Q(id=finding_id) if finding_id else is_right)[:MAX_AT_ONCE]
    others = [other for finding in right for other in finding.reason.get("others", ())]
    if not others:
        raise NotFound(_("These documents do not disagree any more."))
    wrong = {(UUID(other["document"]), other["start"], other["end"]) for other in others}
    places = disputed.filter(document_id__in={place[0] for place in wrong})
    ids = [
        finding_id
        for finding_id, *place in places.values_list("id", "document_id", "start", "end")
        if tuple(place) in wrong
    ]
    ours = disputed.filter(id__in=[finding.id for finding in right])
    # A choice goes by words: those that the right side has too stay.
    theirs = disputed.filter(id__in=ids).exclude(sha256__in=[finding.sha256 for finding in right])
    return _decide(actor, knowledge_base, {Finding.State.KEPT: ours, Finding.State.REMOVED: theirs})


@transaction.atomic
def findings_restore(
    *, actor: Actor, knowledge_base: KnowledgeBase, before: Mapping[str, str]
) -> Decided:
    """Undoes a decision by words, not by ids: a document that was decided on has new rows by now. All of it, however
    many places it had.
    """
    by_state: dict[str, list[str]] = defaultdict(list)
    for sha256, state in before.items():
        if state in Finding.State.values:
            by_state[state].append(sha256)
    rows = {}
    for state, hashes in by_state.items():
        _choices_restore(knowledge_base, hashes, state)
        rows[state] = findings_of(knowledge_base).filter(sha256__in=hashes)
    return _decide(actor, knowledge_base, rows)


def _choices_restore(knowledge_base: KnowledgeBase, hashes: Sequence[str], state: str) -> None:
    """Of words that have no row any more: a dispute that is settled leaves the list, and comes back to it."""
    choices = FindingChoice.objects.filter(knowledge_base=knowledge_base, sha256__in=hashes)
    if state == Finding.State.OPEN:
        choices.delete()
    else:
        choices.update(state=state)


def _decide(actor: Actor, knowledge_base: KnowledgeBase, wanted: Mapping[str, Any]) -> Decided:
    """Rows by the state they are to have. The same words in other documents follow the same choice."""
    decided = Decided()
    documents: set[UUID] = set()
    for state, rows in wanted.items():
        chosen = list(rows.only("id", "kind", "sha256", "state", "document_id"))
        decided.count += len(chosen)
        decided.before |= {row.sha256: row.state for row in chosen}
        hashes = {(row.kind, row.sha256) for row in chosen}
        _remember(knowledge_base, hashes, state)
        alike = findings_of(knowledge_base).filter(sha256__in=[sha256 for _, sha256 in hashes])
        ids = dict(alike.values_list("id", "document_id"))
        Finding.objects.filter(id__in=list(ids)).update(state=state)
        documents.update(ids.values())
        if chosen:
            audit(
                actor,
                "findings.decided",
                object_type="knowledge_base",
                object_id=knowledge_base.id,
                state=state,
                count=len(chosen),
            )
    _cut_again(documents)
    return decided


def _cut_again(document_ids: Iterable[UUID]) -> None:
    for document in Document.objects.filter(id__in=document_ids, deleted_at=None).order_by("id"):
        version_add_renamed(document_lock(document))


def _remember(knowledge_base: KnowledgeBase, hashes: set[tuple[str, str]], state: str) -> None:
    FindingChoice.objects.filter(
        knowledge_base=knowledge_base, sha256__in=[sha256 for _, sha256 in hashes]
    ).delete()
    if state != Finding.State.OPEN:
        for kind, sha256 in sorted(hashes):
            FindingChoice.objects.create(
                knowledge_base=knowledge_base, kind=kind, sha256=sha256, state=state
            )
