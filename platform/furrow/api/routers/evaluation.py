"""Golden questions, the runs that ask them, and publications that wait for one."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Field, Router, Schema

from furrow.api.answers import Items, Page
from furrow.api.answers import conversations as answers
from furrow.api.answers.knowledge import Progress
from furrow.api.answers.money import Cost
from furrow.api.operation import ApiRequest, no_content, operation
from furrow.api.pagination import page
from furrow.api.schemas import Strict
from furrow.assistants.evaluation import gate, golden, runs, selectors, starting
from furrow.assistants.evaluation.models import (
    EvaluationResult,
    EvaluationRun,
    GoldenQuestion,
    PublicationCheck,
)
from furrow.assistants.selectors import assistant_get
from furrow.conversations.selectors import decimal_text
from furrow.core.errors import Invalid

router = Router(tags=["evaluation"])


class GoldenIn(Strict):
    """`facts`: one wording of each inner list must stand in the answer; none of `forbidden` may."""

    question: str = Field(min_length=1, max_length=500)
    expects: Literal["answer", "refusal", "handover"] = "answer"
    facts: list[list[str]] = Field(default_factory=list, max_length=20)
    forbidden: list[str] = Field(default_factory=list, max_length=20)
    document_id: UUID | None = None
    page: int | None = Field(None, ge=1, le=100_000)
    rung: str = Field("", max_length=40)
    note: str = Field("", max_length=300)


class GoldenPatch(Strict):
    question: str = Field("", min_length=1, max_length=500)
    expects: Literal["answer", "refusal", "handover"] = "answer"
    facts: list[list[str]] = Field(default_factory=list, max_length=20)
    forbidden: list[str] = Field(default_factory=list, max_length=20)
    document_id: UUID | None = None
    page: int | None = Field(None, ge=1, le=100_000)
    rung: str = Field("", max_length=40)
    note: str = Field("", max_length=300)
    is_enabled: bool = True


class GoldenOut(Schema):
    id: UUID
    question: str
    expects: str
    facts: list[list[str]]
    forbidden: list[str]
    document_id: UUID | None
    page: int | None
    rung: str
    note: str
    origin: str
    is_enabled: bool
    created_at: datetime


class SideIn(Strict):
    """`version` null is the draft; `settings` are tried over it and saved nowhere."""

    version: int | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class EvaluationIn(Strict):
    """Without `question` the golden set is asked; with `base` both sides are, beside each other."""

    candidate: SideIn = SideIn()
    base: SideIn | None = None
    question: str = Field("", max_length=2000)


class EvaluationOut(Schema):
    """`summary` is empty until the run is done. Amounts are decimal text."""

    id: UUID
    assistant_id: UUID
    kind: str
    state: str
    version: int | None
    base_version: int | None
    progress: Progress
    summary: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None


class ResultOut(Schema):
    """`checks` explains the verdict line by line; `is_passed` is null where nothing was expected."""

    id: UUID
    position: int
    side: str
    question: str
    is_done: bool
    is_passed: bool | None
    checks: list[dict[str, Any]]
    rung: str
    text: str
    citations: list[answers.Citation]
    cost: Cost
    duration_ms: int | None


class PublicationCheckOut(Schema):
    """`state`: checking, then published or blocked (something broke); or withdrawn."""

    id: UUID
    state: str
    evaluation_id: UUID
    version: int | None
    note: str
    created_at: datetime


def check_json(row: PublicationCheck) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "evaluation_id": row.run_id,
        "version": row.version.number if row.version else None,
        "note": row.note,
        "created_at": row.created_at,
    }


def golden_json(row: GoldenQuestion) -> dict[str, Any]:
    return {name: getattr(row, name) for name in GoldenOut.model_fields}


def run_json(row: EvaluationRun, progress: selectors.Progress) -> dict[str, Any]:
    return {
        "id": row.id,
        "assistant_id": row.assistant_id,
        "kind": row.kind,
        "state": row.state,
        "version": row.version_number,
        "base_version": row.base_version_number,
        "progress": {"done": progress.done, "total": progress.total},
        "summary": row.summary,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }


def result_json(row: EvaluationResult) -> dict[str, Any]:
    return {
        "id": row.id,
        "position": row.position,
        "side": row.side,
        "question": row.question,
        "is_done": row.is_done,
        "is_passed": row.is_passed,
        "checks": row.checks,
        "rung": row.rung,
        "text": row.answer,
        "citations": row.citations,
        "cost": {"amount": decimal_text(row.cost_amount), "currency": row.cost_currency},
        "duration_ms": row.duration_ms,
    }


@router.post(
    "/assistants/{uuid:assistant_id}/golden-questions",
    response={201: GoldenOut},
    summary="Add a golden question",
)
@operation("assistants:write")
def golden_create(request: ApiRequest, assistant_id: UUID, body: GoldenIn) -> Any:
    row = golden.golden_create(
        actor=request.auth.actor, assistant=assistant_get(assistant_id), **body.model_dump()
    )
    return 201, golden_json(row)


@router.get(
    "/assistants/{uuid:assistant_id}/golden-questions",
    response={200: Page[GoldenOut]},
    summary="List golden questions",
)
@operation("assistants:read")
def golden_list(request: ApiRequest, assistant_id: UUID, cursor: str = "", limit: int = 50) -> Any:
    rows = selectors.golden_list(assistant_get(assistant_id))
    return 200, page(rows, cursor=cursor, limit=limit, render=golden_json)


@router.patch(
    "/golden-questions/{uuid:golden_id}",
    response={200: GoldenOut},
    summary="Change a golden question",
)
@operation("assistants:write")
def golden_change(request: ApiRequest, golden_id: UUID, body: GoldenPatch) -> Any:
    row = golden.golden_update(
        actor=request.auth.actor,
        golden=selectors.golden_get(golden_id),
        **body.model_dump(exclude_unset=True),
    )
    return 200, golden_json(row)


@router.delete(
    "/golden-questions/{uuid:golden_id}",
    response={204: None},
    summary="Delete a golden question",
)
@operation("assistants:write")
def golden_delete(request: ApiRequest, golden_id: UUID) -> HttpResponse:
    golden.golden_delete(actor=request.auth.actor, golden=selectors.golden_get(golden_id))
    return no_content()


@router.post(
    "/assistants/{uuid:assistant_id}/evaluations",
    response={202: EvaluationOut},
    summary="Ask the golden questions, or compare two sides",
)
@operation("assistants:write")
def evaluation_create(request: ApiRequest, assistant_id: UUID, body: EvaluationIn) -> Any:
    run = starting.evaluation_start(
        actor=request.auth.actor,
        assistant=assistant_get(assistant_id),
        candidate=starting.Choice(**body.candidate.model_dump()),
        base=starting.Choice(**body.base.model_dump()) if body.base else None,
        question=body.question,
    )
    return 202, run_json(run, selectors.run_progress(run))


@router.get(
    "/assistants/{uuid:assistant_id}/evaluations",
    response={200: Page[EvaluationOut]},
    summary="List evaluations",
)
@operation("assistants:read")
def evaluation_list(
    request: ApiRequest, assistant_id: UUID, cursor: str = "", limit: int = 50
) -> Any:
    rows = selectors.with_progress(selectors.runs_list(assistant_get(assistant_id)))
    return 200, page(
        rows,
        cursor=cursor,
        limit=limit,
        render=lambda run: run_json(run, selectors.Progress(run.done, run.total)),
    )


@router.get(
    "/evaluations/{uuid:evaluation_id}",
    response={200: EvaluationOut},
    summary="Read an evaluation",
)
@operation("assistants:read")
def evaluation_read(request: ApiRequest, evaluation_id: UUID) -> Any:
    run = selectors.run_get(evaluation_id)
    return 200, run_json(run, selectors.run_progress(run))


@router.get(
    "/evaluations/{uuid:evaluation_id}/results",
    response={200: Items[ResultOut]},
    summary="Every question of an evaluation with its verdict",
)
@operation("assistants:read")
def evaluation_results(request: ApiRequest, evaluation_id: UUID) -> Any:
    pairs = selectors.run_pairs(selectors.run_get(evaluation_id))
    rows = [row for pair in pairs for row in (pair.candidate, pair.base) if row is not None]
    return 200, {"items": [result_json(row) for row in rows]}


@router.delete(
    "/evaluations/{uuid:evaluation_id}", response={204: None}, summary="Cancel an evaluation"
)
@operation("assistants:write")
def evaluation_cancel(request: ApiRequest, evaluation_id: UUID) -> HttpResponse:
    run = selectors.run_get(evaluation_id)
    if run.kind == EvaluationRun.Kind.PUBLISH:
        raise Invalid("Withdraw its publication instead.", code="publication_waits")
    runs.run_cancel(run=run)
    return no_content()


@router.get(
    "/publication-checks/{uuid:check_id}",
    response={200: PublicationCheckOut},
    summary="How far a publication is",
)
@operation("assistants:read")
def publication_check(request: ApiRequest, check_id: UUID) -> Any:
    return 200, check_json(selectors.check_get(check_id))


@router.delete(
    "/publication-checks/{uuid:check_id}",
    response={204: None},
    summary="Withdraw a publication that waits or was blocked",
)
@operation("assistants:write")
def publication_withdraw(request: ApiRequest, check_id: UUID) -> HttpResponse:
    gate.publication_withdraw(actor=request.auth.actor, check=selectors.check_get(check_id))
    return no_content()
