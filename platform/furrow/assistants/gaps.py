"""Writes on knowledge gaps; `furrow.assistants.services` is where others find them.

Near-identical wordings share a cluster: the first one is its head, the others name it. A new gap looks for its head
once, when it is recorded, so that the list of them costs one query.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.assistants.answers import QUESTION_LENGTH, approved_answer_create, gap_key
from furrow.assistants.models import ApprovedAnswer, Assistant, Gap
from furrow.assistants.similarity import likeness, profile
from furrow.core.errors import Conflict, NotFound
from furrow.tenants.services import Actor, audit

# Below it "deposit" and "down payment" would share a line, and one answer would close both.
LIKE = 0.62
# The latest heads a new gap is compared with: a fraction of a second at most.
HEADS = 300


@transaction.atomic
def gap_record(*, assistant: Assistant, question: str) -> Gap | None:
    """Counts an unanswered question; None when it holds no letters. A dismissed gap stays dismissed, one whose
    answer did not help opens again.
    """
    key = gap_key(question)
    if not key:
        return None
    now = timezone.now()
    rows = Gap.objects.filter(assistant=assistant, folded=key)
    counted = {"asked_count": F("asked_count") + 1, "last_asked_at": now}
    if not rows.update(**counted):
        # One new question at a time, or two asked in the same second would each find no head and never join.
        list(Assistant.objects.select_for_update(no_key=True).filter(id=assistant.id).values("id"))
        if not rows.update(**counted):
            Gap.objects.create(
                assistant=assistant,
                question=question.strip()[:QUESTION_LENGTH],
                folded=key,
                last_asked_at=now,
                head=_head_for(assistant, question),
            )
    rows.filter(state=Gap.State.ANSWERED).update(state=Gap.State.OPEN)
    gap: Gap | None = rows.first()
    return gap


def _head_for(assistant: Assistant, question: str) -> Gap | None:
    """The open head that is most like it; among equals the oldest."""
    heads = Gap.objects.filter(assistant=assistant, head=None, state=Gap.State.OPEN)
    asked = profile(question)
    best: tuple[float, Gap] | None = None
    for head in sorted(heads.order_by("-last_asked_at")[:HEADS], key=lambda gap: gap.created_at):
        score = likeness(asked, profile(head.question))
        if score >= LIKE and (best is None or score > best[0]):
            best = (score, head)
    return best[1] if best else None


def cluster_of(gap: Gap) -> Q:
    """The open gaps that share its line, itself included."""
    head_id = gap.head_id or gap.id
    return Q(state=Gap.State.OPEN) & (Q(id=head_id) | Q(head_id=head_id) | Q(id=gap.id))


@transaction.atomic
def gap_answer(
    *, actor: Actor, gap: Gap, answer: str, only: Collection[UUID] | None = None
) -> ApprovedAnswer:
    """Turns the gap and those of its cluster into one approved answer, so that the next visitor who asks gets it.
    With `only`, the others of the cluster are other questions: they stay open, under a head of their own.
    """
    row = gap_locked(gap)
    members = [each for each in _members_locked(row) if each.id != row.id]
    chosen = [each for each in members if only is None or each.id in only]
    approved = approved_answer_create(
        actor=actor,
        assistant=row.assistant,
        question=row.question,
        answer=answer,
        variants=[each.question for each in chosen],
    )
    _close([row, *chosen], Gap.State.ANSWERED, approved)
    _regroup([each for each in members if each not in chosen])
    gap.refresh_from_db()
    audit(actor, "gap.answered", object_type="gap", object_id=gap.id, count=1 + len(chosen))
    return approved


@transaction.atomic
def gap_dismiss(*, actor: Actor, gap: Gap) -> None:
    """Keeps the questions of its cluster off the owner's list, however often they are asked again."""
    members = _members_locked(gap_locked(gap))
    _close(members, Gap.State.DISMISSED, None)
    gap.refresh_from_db()
    audit(actor, "gap.dismissed", object_type="gap", object_id=gap.id, count=len(members))


@transaction.atomic
def gap_reopen(*, actor: Actor, gap: Gap) -> None:
    """Takes a dismissal back, of the whole cluster."""
    head_id = gap.head_id or gap.id
    dismissed = Gap.objects.filter(
        Q(id=head_id) | Q(head_id=head_id) | Q(id=gap.id), state=Gap.State.DISMISSED
    )
    if not dismissed.update(state=Gap.State.OPEN):
        raise Conflict("This question is not dismissed.")
    audit(actor, "gap.reopened", object_type="gap", object_id=gap.id)


def gap_locked(gap: Gap) -> Gap:
    row: Gap | None = (
        Gap.objects.select_for_update(of=("self",))
        .select_related("assistant")
        .filter(id=gap.id)
        .first()
    )
    if row is None:
        raise NotFound(_("This question does not exist."))
    if row.state != Gap.State.OPEN:
        raise Conflict(_("This question was already dealt with."))
    return row


def _members_locked(gap: Gap) -> list[Gap]:
    rows = Gap.objects.filter(cluster_of(gap), assistant_id=gap.assistant_id)
    return list(rows.select_for_update(of=("self",)).order_by("created_at", "id"))


def _close(gaps: list[Gap], state: str, approved: ApprovedAnswer | None) -> None:
    ids = [gap.id for gap in gaps]
    Gap.objects.filter(id__in=ids).update(state=state, approved_answer=approved)


def _regroup(gaps: list[Gap]) -> None:
    """What is left of a cluster whose head was answered gets the oldest as its head."""
    if gaps:
        ids = [gap.id for gap in gaps]
        Gap.objects.filter(id__in=ids[1:]).update(head_id=ids[0])
        Gap.objects.filter(id=ids[0]).update(head=None)
