"""Questions over contracts."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Router

from apps.contracts import selectors
from apps.contracts.api import render, schemas
from apps.contracts.services import inquiries
from furrow.api.answers import Page
from furrow.api.operation import ApiRequest, no_content, operation
from furrow.api.pagination import page

router = Router(tags=["contracts"])


@router.post("", response={202: schemas.Question}, summary="Ask one, several or all contracts")
@operation("knowledge:write")
def question_create(request: ApiRequest, body: schemas.QuestionIn) -> Any:
    """Answered in the background: each contract by itself, with quotes of its own text."""
    row = inquiries.inquiry_ask(
        actor=request.auth.actor,
        text=body.text,
        contract_ids=body.contract_ids,
        with_model=body.has_model,
    )
    return 202, render.question(row)


@router.get("", response={200: Page[schemas.Question]}, summary="List questions and their answers")
@operation("knowledge:read")
def question_list(request: ApiRequest, cursor: str = "", limit: int = 20) -> Any:
    rows = selectors.inquiries_list()
    return 200, page(rows, cursor=cursor, limit=limit, render=render.question)


@router.get(
    "/{uuid:question_id}", response={200: schemas.Question}, summary="Read a question's answers"
)
@operation("knowledge:read")
def question_read(request: ApiRequest, question_id: UUID) -> Any:
    return 200, render.question(selectors.inquiry_get(question_id))


@router.delete("/{uuid:question_id}", response={204: None}, summary="Remove a question")
@operation("knowledge:write")
def question_delete(request: ApiRequest, question_id: UUID) -> HttpResponse:
    inquiries.inquiry_delete(actor=request.auth.actor, inquiry=selectors.inquiry_get(question_id))
    return no_content()
