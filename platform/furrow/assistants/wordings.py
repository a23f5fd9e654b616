"""Other ways to ask what an approved answer answers: which answers a question comes near, and storing its wording.

Every wording stored is one question more that the answer surely belongs to, without a word of code.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from furrow.assistants.answers import approved_answer_update, gap_key
from furrow.assistants.gaps import cluster_of, gap_locked
from furrow.assistants.ladder import NEAR_ENOUGH, NEAR_SHARE
from furrow.assistants.models import ApprovedAnswer, Assistant, Gap
from furrow.assistants.nearness import Neighbourhood
from furrow.core.errors import NotFound
from furrow.tenants.services import Actor, audit

OFFERED = 3


class Answers:
    """The approved answers of one assistant that have a question of their own, for many look-ups. One query."""

    def __init__(self, assistant: Assistant) -> None:
        rows = assistant.approved_answers.filter(is_enabled=True, pinned_document=None)
        self._rows = list(rows.order_by("-updated_at"))
        self._near = Neighbourhood(
            [((row.question, *row.variants), row.answer) for row in self._rows]
        )

    def near(self, question: str) -> list[tuple[float, ApprovedAnswer]]:
        """Those worth offering, the nearest first."""
        scored = list(zip(self._near.nearness(question), self._rows, strict=True))
        scored.sort(key=lambda each: -each[0])
        least = max(NEAR_ENOUGH, scored[0][0] * NEAR_SHARE) if scored else 0.0
        return [each for each in scored[:OFFERED] if each[0] >= least]


def answers_near(assistant: Assistant, question: str) -> list[ApprovedAnswer]:
    """The approved answers that a question may be another wording of, without the one that has it already."""
    key = gap_key(question)
    return [row for _score, row in Answers(assistant).near(question) if key not in keys_of(row)]


def answers_near_each(gaps: Iterable[Gap]) -> dict[UUID, list[ApprovedAnswer]]:
    """For each gap; one query for each assistant among them."""
    known: dict[UUID, Answers] = {}
    found = {}
    for gap in gaps:
        if gap.assistant_id not in known:
            known[gap.assistant_id] = Answers(gap.assistant)
        found[gap.id] = [row for _score, row in known[gap.assistant_id].near(gap.question)]
    return found


def keys_of(row: ApprovedAnswer) -> set[str]:
    return {gap_key(text) for text in (row.question, *row.variants)}


@transaction.atomic
def wordings_add(*, actor: Actor, approved_answer: ApprovedAnswer, wordings: Sequence[str]) -> None:
    """Stores what it does not have yet, and closes the gaps that these questions left."""
    # Of two people who add one each, neither may overwrite the other's.
    row = ApprovedAnswer.objects.select_for_update().filter(id=approved_answer.id).first()
    if row is None:
        raise NotFound(_("This answer does not exist."))
    keys = keys_of(row)
    new = {gap_key(text): text for text in wordings if gap_key(text) not in keys}
    if new:
        variants = [*row.variants, *new.values()]
        approved_answer_update(actor=actor, approved_answer=row, variants=variants)
    gaps = Gap.objects.filter(
        assistant_id=row.assistant_id,
        folded__in=[gap_key(text) for text in wordings],
        state=Gap.State.OPEN,
    )
    gaps.update(state=Gap.State.ANSWERED, approved_answer=row)


@transaction.atomic
def gap_join(*, actor: Actor, gap: Gap, approved_answer: ApprovedAnswer) -> int:
    """Its questions become wordings of an answer that exists; how many."""
    row = gap_locked(gap)
    rows: Any = Gap.objects.filter(cluster_of(row), assistant_id=row.assistant_id)
    questions = [each.question for each in rows.order_by("created_at", "id")]
    wordings_add(actor=actor, approved_answer=approved_answer, wordings=questions)
    audit(actor, "gap.answered", object_type="gap", object_id=gap.id, count=len(questions))
    return len(questions)
