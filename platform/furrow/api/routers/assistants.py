"""Assistants, their publications, approved answers and gaps."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Router

from furrow.api import render, schemas
from furrow.api.answers import Page
from furrow.api.answers import assistants as answers
from furrow.api.operation import ApiRequest, no_content, operation
from furrow.api.pagination import page
from furrow.api.routers.evaluation import PublicationCheckOut, check_json
from furrow.assistants import selectors, services
from furrow.assistants.evaluation.gate import publication_request
from furrow.assistants.models import Assistant

router = Router(tags=["assistants"])


def _rendered(row: Assistant) -> dict[str, Any]:
    return render.assistant(row, selectors.knowledge_base_ids_of(row))


@router.post("/assistants", response={201: answers.Assistant}, summary="Create an assistant")
@operation("assistants:write")
def assistant_create(request: ApiRequest, body: schemas.AssistantIn) -> Any:
    row = services.assistant_create(actor=request.auth.actor, **body.model_dump())
    return 201, _rendered(row)


@router.get("/assistants", response={200: Page[answers.Assistant]}, summary="List assistants")
@operation("assistants:read")
def assistant_list(request: ApiRequest, cursor: str = "", limit: int = 50) -> Any:
    return 200, page(selectors.assistants_list(), cursor=cursor, limit=limit, render=_rendered)


@router.get(
    "/assistants/{uuid:assistant_id}",
    response={200: answers.Assistant},
    summary="Read an assistant's draft",
)
@operation("assistants:read")
def assistant_read(request: ApiRequest, assistant_id: UUID) -> Any:
    return 200, _rendered(selectors.assistant_get(assistant_id))


@router.patch(
    "/assistants/{uuid:assistant_id}",
    response={200: answers.Assistant},
    summary="Change an assistant's draft",
)
@operation("assistants:write")
def assistant_change(request: ApiRequest, assistant_id: UUID, body: schemas.AssistantPatch) -> Any:
    row = services.assistant_update(
        actor=request.auth.actor,
        assistant=selectors.assistant_get(assistant_id),
        **body.model_dump(exclude_unset=True),
    )
    return 200, _rendered(row)


@router.delete(
    "/assistants/{uuid:assistant_id}", response={204: None}, summary="Delete an assistant"
)
@operation("assistants:write")
def assistant_delete(request: ApiRequest, assistant_id: UUID) -> HttpResponse:
    row = selectors.assistant_get(assistant_id)
    services.assistant_delete(actor=request.auth.actor, assistant=row)
    return no_content()


@router.post(
    "/assistants/{uuid:assistant_id}/publications",
    response={201: answers.AssistantVersion, 202: PublicationCheckOut},
    summary="Publish, or roll back",
)
@operation("assistants:write")
def assistant_publish(request: ApiRequest, assistant_id: UUID, body: schemas.PublicationIn) -> Any:
    """202 when golden questions are asked first: follow the check. Rolling back never waits."""
    row = selectors.assistant_get(assistant_id)
    actor = request.auth.actor
    if body.version is not None:
        earlier = selectors.assistant_version_get(row, body.version)
        version = services.assistant_roll_back(actor=actor, assistant=row, version=earlier)
        return 201, render.assistant_version(version)
    outcome = publication_request(
        actor=actor, assistant=row, note=body.note, override_reason=body.override_reason
    )
    if outcome.version is not None:
        return 201, render.assistant_version(outcome.version)
    assert outcome.check is not None  # noqa: S101  one of the two is always there
    return 202, check_json(outcome.check)


@router.get(
    "/assistants/{uuid:assistant_id}/publications",
    response={200: Page[answers.AssistantVersion]},
    summary="List published versions",
)
@operation("assistants:read")
def assistant_publications(
    request: ApiRequest, assistant_id: UUID, cursor: str = "", limit: int = 50
) -> Any:
    rows = selectors.assistant_versions(selectors.assistant_get(assistant_id))
    return 200, page(rows, cursor=cursor, limit=limit, render=render.assistant_version)


@router.post(
    "/assistants/{uuid:assistant_id}/approved-answers",
    response={201: answers.ApprovedAnswer},
    summary="Add an approved answer",
)
@operation("assistants:write")
def approved_answer_create(
    request: ApiRequest, assistant_id: UUID, body: schemas.ApprovedAnswerIn
) -> Any:
    row = services.approved_answer_create(
        actor=request.auth.actor,
        assistant=selectors.assistant_get(assistant_id),
        **body.model_dump(),
    )
    return 201, render.approved_answer(row)


@router.get(
    "/assistants/{uuid:assistant_id}/approved-answers",
    response={200: Page[answers.ApprovedAnswer]},
    summary="List approved answers",
)
@operation("assistants:read")
def approved_answer_list(
    request: ApiRequest, assistant_id: UUID, cursor: str = "", limit: int = 50
) -> Any:
    rows = selectors.approved_answers_list(selectors.assistant_get(assistant_id))
    return 200, page(rows, cursor=cursor, limit=limit, render=render.approved_answer)


@router.delete(
    "/approved-answers/{uuid:answer_id}", response={204: None}, summary="Delete an approved answer"
)
@operation("assistants:write")
def approved_answer_delete(request: ApiRequest, answer_id: UUID) -> HttpResponse:
    row = selectors.approved_answer_get(answer_id)
    services.approved_answer_delete(actor=request.auth.actor, approved_answer=row)
    return no_content()


@router.get(
    "/assistants/{uuid:assistant_id}/gaps",
    response={200: Page[answers.Gap]},
    summary="Questions without an answer",
)
@operation("assistants:read")
def gap_list(request: ApiRequest, assistant_id: UUID, cursor: str = "", limit: int = 50) -> Any:
    rows = selectors.gaps_list(selectors.assistant_get(assistant_id))
    return 200, page(rows, cursor=cursor, limit=limit, render=render.gap)
