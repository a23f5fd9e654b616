"""Reads of assistants. All run inside `tenant_tx`; another tenant's id is not found."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, Q, QuerySet, Sum, Value, Window
from django.db.models.functions import Coalesce, Extract, Now, Power, RowNumber
from django.utils.translation import gettext as _

from furrow.assistants.answers import gap_key
from furrow.assistants.models import ApprovedAnswer, Assistant, AssistantVersion, Gap
from furrow.core.errors import NotFound


def assistant_get(assistant_id: UUID, *, include_deleted: bool = False) -> Assistant:
    rows = Assistant.objects.filter(id=assistant_id).select_related("published")
    assistant: Assistant | None = (
        rows if include_deleted else rows.filter(deleted_at=None)
    ).first()
    if assistant is None:
        raise NotFound(_("This assistant does not exist."))
    return assistant


def assistants_list() -> QuerySet[Any]:
    """Newest first, with `open_gaps` counted and knowledge bases fetched: two queries in all."""
    rows: QuerySet[Any] = Assistant.objects.filter(deleted_at=None).select_related("published")
    gaps = Count("gaps", filter=Q(gaps__state=Gap.State.OPEN))
    rows = rows.prefetch_related("knowledge_bases").annotate(open_gaps=gaps)
    return rows.order_by("-created_at")


def knowledge_base_ids_of(assistant: Assistant) -> list[UUID]:
    """Of the draft, deleted knowledge bases left out; no query when `assistants_list` fetched them."""
    bases = [base for base in assistant.knowledge_bases.all() if base.deleted_at is None]
    return [base.id for base in sorted(bases, key=lambda base: base.created_at)]


def assistant_versions(assistant: Assistant) -> QuerySet[Any]:
    return assistant.versions.select_related("published_by").order_by("-number")


def assistant_version_get(assistant: Assistant, number: int) -> AssistantVersion:
    version: AssistantVersion | None = assistant.versions.filter(number=number).first()
    if version is None:
        raise NotFound(_("This version does not exist."))
    return version


def approved_answers_list(assistant: Assistant, *, query: str = "") -> QuerySet[Any]:
    rows = assistant.approved_answers.order_by("-updated_at")
    if query:
        rows = rows.filter(Q(question__icontains=query) | Q(answer__icontains=query))
    return rows


def approved_answer_get(approved_answer_id: UUID) -> ApprovedAnswer:
    row: ApprovedAnswer | None = (
        ApprovedAnswer.objects.filter(id=approved_answer_id).select_related("assistant").first()
    )
    if row is None:
        raise NotFound(_("This answer does not exist."))
    return row


def gaps_list(assistant: Assistant | None = None, *, state: str = Gap.State.OPEN) -> QuerySet[Any]:
    """The most asked first."""
    rows = Gap.objects.select_related("assistant", "approved_answer").filter(
        assistant__deleted_at=None
    )
    if assistant is not None:
        rows = rows.filter(assistant=assistant)
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("-asked_count", "-last_asked_at")


# After so many days a question weighs half.
_HALF_LIFE_DAYS = 14


def gap_clusters(assistant: Assistant | None = None) -> QuerySet[Any]:
    """Open gaps by cluster in one query: the heads, each with `wordings`, `asked` and `asked_last` over its whole
    cluster, ordered by how often and how recently it was asked. A head that was dealt with is stood in for
    by the oldest open one of its line.
    """
    rows = Gap.objects.filter(state=Gap.State.OPEN, assistant__deleted_at=None)
    if assistant is not None:
        rows = rows.filter(assistant=assistant)
    line = Coalesce("head_id", "id")
    first = [F("head_id").asc(nulls_first=True), F("created_at").asc(), F("id").asc()]
    age = Extract(Now() - F("asked_last"), "epoch") / Value(86400.0 * _HALF_LIFE_DAYS)
    ranked: QuerySet[Any] = rows.select_related("assistant").annotate(
        place=Window(RowNumber(), partition_by=line, order_by=first),
        wordings=Window(Count("id"), partition_by=line),
        asked=Window(Sum("asked_count"), partition_by=line),
        asked_last=Window(Max("last_asked_at"), partition_by=line),
        weight=F("asked") * Power(Value(0.5), age),
    )
    return ranked.filter(place=1).order_by("-weight", "id")


def gap_wordings(heads: Iterable[Any]) -> dict[UUID, list[Gap]]:
    """The other open wordings of each line, the most asked first; one query."""
    lines = {head.head_id or head.id: head.id for head in heads}
    found: dict[UUID, list[Gap]] = {head_id: [] for head_id in lines.values()}
    rows = Gap.objects.filter(Q(head_id__in=lines) | Q(id__in=lines), state=Gap.State.OPEN).exclude(
        id__in=lines.values()
    )
    for gap in rows.order_by("-asked_count", "created_at", "id"):
        found[lines[gap.head_id or gap.id]].append(gap)
    return found


def gap_open_for(assistant: Assistant, question: str) -> Gap | None:
    """The open gap that this very question left."""
    rows = Gap.objects.filter(assistant=assistant, folded=gap_key(question), state=Gap.State.OPEN)
    gap: Gap | None = rows.select_related("assistant").first()
    return gap


def gap_get(gap_id: UUID) -> Gap:
    gap: Gap | None = Gap.objects.filter(id=gap_id).select_related("assistant").first()
    if gap is None:
        raise NotFound(_("This question does not exist."))
    return gap
