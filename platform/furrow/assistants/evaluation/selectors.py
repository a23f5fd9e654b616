"""Reads of golden questions, runs and checks. All run inside `tenant_tx`; another tenant's id is not found."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from furrow.assistants.evaluation.models import (
    EvaluationResult,
    EvaluationRun,
    GoldenQuestion,
    PublicationCheck,
)
from furrow.assistants.evaluation.summary import Pair, pairs_of
from furrow.assistants.models import Assistant
from furrow.core.errors import NotFound

Kind, State = EvaluationRun.Kind, EvaluationRun.State
# Runs that ask the whole set of what is saved: what a question's last verdict and the trend are taken from.
_WHOLE = (Kind.PUBLISH, Kind.NIGHTLY, Kind.MANUAL)


def golden_list(assistant: Assistant) -> QuerySet[Any]:
    """Oldest first, each with `last_passed` and `last_result_id`: one query."""
    answered = EvaluationResult.objects.filter(
        golden=OuterRef("pk"),
        side=EvaluationResult.Side.CANDIDATE,
        is_done=True,
        run__kind__in=_WHOLE,
    ).order_by("-run__created_at")
    rows: QuerySet[Any] = GoldenQuestion.objects.filter(assistant=assistant)
    rows = rows.select_related("document").annotate(
        last_passed=Subquery(answered.values("is_passed")[:1]),
        last_result_id=Subquery(answered.values("id")[:1]),
    )
    return rows.order_by("created_at", "id")


def golden_count(assistant: Assistant) -> int:
    """How many are asked."""
    return GoldenQuestion.objects.filter(assistant=assistant, is_enabled=True).count()


def golden_get(golden_id: UUID) -> GoldenQuestion:
    row: GoldenQuestion | None = (
        GoldenQuestion.objects.filter(id=golden_id, assistant__deleted_at=None)
        .select_related("assistant", "document")
        .first()
    )
    if row is None:
        raise NotFound(_("This question does not exist."))
    return row


def runs_list(assistant: Assistant) -> QuerySet[Any]:
    """Latest first, without configurations; repairs are shown where they were made."""
    rows = EvaluationRun.objects.filter(assistant=assistant).exclude(kind=Kind.REPAIR)
    return rows.defer("config", "base_config").order_by("-created_at")


def with_progress(runs: QuerySet[Any]) -> QuerySet[Any]:
    """Each run with `done` and `total` counted, in the same query."""
    done = Count("results", filter=Q(results__is_done=True))
    counted: QuerySet[Any] = runs.annotate(done=done, total=Count("results"))
    return counted


def run_get(run_id: UUID) -> EvaluationRun:
    run: EvaluationRun | None = (
        EvaluationRun.objects.filter(id=run_id, assistant__deleted_at=None)
        .select_related("assistant__published")
        .first()
    )
    if run is None:
        raise NotFound(_("This run does not exist."))
    return run


def run_about(about_id: UUID) -> EvaluationRun | None:
    """The latest try at repairing a turn or a result."""
    rows = EvaluationRun.objects.filter(about_id=about_id, kind=Kind.REPAIR)
    run: EvaluationRun | None = rows.order_by("-created_at").first()
    return run


@dataclass(frozen=True)
class Progress:
    done: int
    total: int


def run_progress(run: EvaluationRun) -> Progress:
    counted = EvaluationResult.objects.filter(run=run).aggregate(
        done=Count("id", filter=Q(is_done=True)), total=Count("id")
    )
    return Progress(counted["done"], counted["total"])


def run_pairs(run: EvaluationRun) -> list[Pair]:
    """Every question of a run with its answers, in order; one query."""
    return pairs_of(EvaluationResult.objects.filter(run=run).select_related("golden"))


def result_get(result_id: UUID) -> EvaluationResult:
    row: EvaluationResult | None = (
        EvaluationResult.objects.filter(id=result_id, run__assistant__deleted_at=None)
        .select_related("run__assistant__published", "golden")
        .first()
    )
    if row is None:
        raise NotFound(_("This answer does not exist."))
    return row


def check_get(check_id: UUID) -> PublicationCheck:
    row: PublicationCheck | None = (
        PublicationCheck.objects.filter(id=check_id, assistant__deleted_at=None)
        .select_related("assistant", "run", "version")
        .first()
    )
    if row is None:
        raise NotFound(_("This publication does not exist."))
    return row


def check_of_run(run: EvaluationRun) -> PublicationCheck | None:
    row: PublicationCheck | None = (
        PublicationCheck.objects.filter(run=run).select_related("version").first()
    )
    return row


def check_open(assistant: Assistant) -> PublicationCheck | None:
    """The wish to publish that is being checked or was blocked."""
    rows = PublicationCheck.objects.filter(
        assistant=assistant,
        state__in=[PublicationCheck.State.CHECKING, PublicationCheck.State.BLOCKED],
    )
    row: PublicationCheck | None = rows.select_related("run").first()
    return row


def trend(assistant: Assistant, *, limit: int = 60) -> list[EvaluationRun]:
    """The nightly runs that ended well, oldest first: what visitors got, night by night."""
    rows = EvaluationRun.objects.filter(assistant=assistant, kind=Kind.NIGHTLY, state=State.DONE)
    latest = rows.defer("config", "base_config").order_by("-created_at")[:limit]
    return list(reversed(latest))
