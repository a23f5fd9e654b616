"""Looking after the knowledge: synonyms, findings of cleaning, questions that a passage answers."""

from typing import Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Router
from pydantic import Field

from furrow.api import schemas
from furrow.api.answers import Page
from furrow.api.answers import knowledge as answers
from furrow.api.operation import ApiRequest, no_content, operation
from furrow.api.pagination import page
from furrow.knowledge import selectors
from furrow.knowledge.models import SynonymGroup
from furrow.knowledge.services import findings, known, synonyms

router = Router(tags=["knowledge"])


class SynonymsIn(schemas.Strict):
    words: list[str] = Field(min_length=2, max_length=20)


class DecisionIn(schemas.Strict):
    finding_ids: list[UUID] = Field(min_length=1, max_length=500)
    state: Literal["open", "kept", "removed"]


class KnownQuestionIn(schemas.Strict):
    text: str = Field(min_length=1, max_length=500)


@router.get("/synonyms", response={200: Page[answers.Synonyms]}, summary="List groups of synonyms")
@operation("knowledge:read")
def synonyms_list(request: ApiRequest, cursor: str = "", limit: int = 50) -> Any:
    return 200, page(SynonymGroup.objects.all(), cursor=cursor, limit=limit, render=_synonyms)


@router.post("/synonyms", response={201: answers.Synonyms}, summary="Add words that mean the same")
@operation("knowledge:write")
def synonyms_create(request: ApiRequest, body: SynonymsIn) -> Any:
    row = synonyms.synonym_group_save(actor=request.auth.actor, words=body.words)
    return 201, _synonyms(row)


@router.delete(
    "/synonyms/{uuid:synonyms_id}", response={204: None}, summary="Delete a group of synonyms"
)
@operation("knowledge:write")
def synonyms_delete(request: ApiRequest, synonyms_id: UUID) -> HttpResponse:
    group = synonyms.synonym_group_get(synonyms_id)
    synonyms.synonym_group_delete(actor=request.auth.actor, group=group)
    return no_content()


@router.get(
    "/knowledge-bases/{uuid:base_id}/findings",
    response={200: Page[answers.Finding]},
    summary="List what is in doubt",
)
@operation("knowledge:read")
def findings_list(
    request: ApiRequest, base_id: UUID, state: str = "", cursor: str = "", limit: int = 50
) -> Any:
    rows = selectors.findings_of(selectors.knowledge_base_get(base_id), state=state)
    return 200, page(rows, cursor=cursor, limit=limit, render=_finding)


@router.post(
    "/knowledge-bases/{uuid:base_id}/findings",
    response={200: answers.Decided},
    summary="Keep or leave out what is in doubt",
)
@operation("knowledge:write")
def findings_decide(request: ApiRequest, base_id: UUID, body: DecisionIn) -> Any:
    decided = findings.findings_decide(
        actor=request.auth.actor,
        knowledge_base=selectors.knowledge_base_get(base_id),
        finding_ids=body.finding_ids,
        state=body.state,
    )
    return 200, {"changed": decided.count}


@router.post(
    "/chunks/{uuid:chunk_id}/known-questions",
    response={201: answers.KnownQuestion},
    summary="Say which question a passage answers",
)
@operation("knowledge:write")
def known_question_create(request: ApiRequest, chunk_id: UUID, body: KnownQuestionIn) -> Any:
    row = known.known_question_add(
        actor=request.auth.actor, chunk=selectors.chunk_get(chunk_id), text=body.text
    )
    return 201, {"id": row.id, "text": row.text, "document_id": row.document_id}


@router.delete(
    "/known-questions/{uuid:known_id}", response={204: None}, summary="Forget a known question"
)
@operation("knowledge:write")
def known_question_delete(request: ApiRequest, known_id: UUID) -> HttpResponse:
    question = known.known_question_get(known_id)
    known.known_question_delete(actor=request.auth.actor, question=question)
    return no_content()


def _synonyms(row: SynonymGroup) -> dict[str, Any]:
    return {"id": row.id, "words": row.words}


def _finding(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "state": row.state,
        "score": row.score,
        "reason": row.reason["text"],
        "detail": row.reason["detail"],
        "document_id": row.document_id,
        "page": row.page,
        "start": row.start,
        "end": row.end,
        "excerpt": row.excerpt,
        "others": [
            {**other, "document_id": other["document"]} for other in row.reason.get("others", ())
        ],
    }
