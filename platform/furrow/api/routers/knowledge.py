"""Knowledge bases, documents and search."""

import json
from typing import Any, BinaryIO, TypeVar, cast
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from ninja import Router
from pydantic import ValidationError as PydanticError

from furrow.api import render, schemas
from furrow.api.answers import Items, Page
from furrow.api.answers import knowledge as answers
from furrow.api.operation import ApiRequest, no_content, operation
from furrow.api.pagination import page
from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid
from furrow.knowledge import selectors
from furrow.knowledge.models import Document
from furrow.knowledge.search import search
from furrow.knowledge.services import bases, documents

router = Router(tags=["knowledge"])
S = TypeVar("S", bound=schemas.Strict)

_DOCUMENT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": schemas.DocumentIn.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "title": {"type": "string"},
                        "external_id": {"type": "string"},
                        "metadata": {"type": "string", "description": "a JSON object"},
                        "valid_from": {"type": "string", "format": "date"},
                        "valid_to": {"type": "string", "format": "date"},
                    },
                }
            },
        },
    }
}


@router.post(
    "/knowledge-bases", response={201: answers.KnowledgeBase}, summary="Create a knowledge base"
)
@operation("knowledge:write")
def knowledge_base_create(request: ApiRequest, body: schemas.KnowledgeBaseIn) -> Any:
    row = bases.knowledge_base_create(
        actor=request.auth.actor,
        name=body.name,
        language=body.language,
        description=body.description,
    )
    return 201, render.knowledge_base(row)


@router.get(
    "/knowledge-bases",
    response={200: Page[answers.KnowledgeBase]},
    summary="List knowledge bases",
)
@operation("knowledge:read")
def knowledge_base_list(request: ApiRequest, cursor: str = "", limit: int = 50) -> Any:
    rows = selectors.knowledge_bases_list()
    return 200, page(rows, cursor=cursor, limit=limit, render=render.knowledge_base)


@router.get(
    "/knowledge-bases/{uuid:base_id}",
    response={200: answers.KnowledgeBase},
    summary="Read a knowledge base",
)
@operation("knowledge:read")
def knowledge_base_read(request: ApiRequest, base_id: UUID) -> Any:
    return 200, render.knowledge_base(selectors.knowledge_base_get(base_id))


@router.patch(
    "/knowledge-bases/{uuid:base_id}",
    response={200: answers.KnowledgeBase},
    summary="Change a knowledge base",
)
@operation("knowledge:write")
def knowledge_base_change(
    request: ApiRequest, base_id: UUID, body: schemas.KnowledgeBasePatch
) -> Any:
    row = bases.knowledge_base_update(
        actor=request.auth.actor,
        knowledge_base=selectors.knowledge_base_get(base_id),
        **body.model_dump(exclude_unset=True),
    )
    return 200, render.knowledge_base(row)


@router.delete(
    "/knowledge-bases/{uuid:base_id}", response={204: None}, summary="Delete a knowledge base"
)
@operation("knowledge:write")
def knowledge_base_delete(request: ApiRequest, base_id: UUID) -> HttpResponse:
    row = selectors.knowledge_base_get(base_id)
    bases.knowledge_base_delete(actor=request.auth.actor, knowledge_base=row)
    return no_content()


@router.post(
    "/knowledge-bases/{uuid:base_id}/documents",
    response={202: answers.DocumentAccepted},
    summary="Add a document: a file, a text or the address of a page",
    openapi_extra=_DOCUMENT_BODY,
)
@operation("knowledge:write")
def document_add(request: ApiRequest, base_id: UUID) -> Any:
    row = _added(request, base_id)
    return 202, {"id": row.id, "status": row.status}


def _added(request: ApiRequest, base_id: UUID) -> Document:
    base = selectors.knowledge_base_get(base_id)
    actor = request.auth.actor
    if request.content_type == "multipart/form-data":
        file, form = _file_form(request)
        return documents.document_upload(
            actor=actor,
            knowledge_base=base,
            file=cast(BinaryIO, file),
            file_name=file.name or "file",
            content_type=file.content_type or "",
            **form.model_dump(),
        )
    body = _parsed(schemas.DocumentIn, request.body)
    fields = body.model_dump(exclude={"text", "url"})
    if (body.text is None) == (body.url is None):
        raise Invalid("Send either text or url.", fields=["text", "url"])
    if body.url is not None:
        return documents.document_add_url(actor=actor, knowledge_base=base, url=body.url, **fields)
    return documents.document_add_text(
        actor=actor, knowledge_base=base, text=body.text or "", **fields
    )


def _file_form(request: ApiRequest) -> "tuple[UploadedFile[Any], schemas.DocumentFileIn]":
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise Invalid("Send one file in the field named file.", field="file")
    fields: dict[str, Any] = {k: v for k, v in request.POST.items() if v != ""}
    if "metadata" in fields:
        try:
            fields["metadata"] = json.loads(str(fields["metadata"]))
        except ValueError:
            raise Invalid("metadata must be a JSON object.", field="metadata") from None
    return file, _parsed(schemas.DocumentFileIn, json.dumps(fields).encode())


def _parsed(schema: type[S], body: bytes) -> S:
    try:
        return schema.model_validate_json(body)
    except PydanticError as error:
        fields = [
            {"field": ".".join(map(str, item["loc"])), "problem": item["msg"]}
            for item in error.errors()
        ]
        raise Invalid("Some fields are wrong.", fields=fields) from None


@router.get(
    "/knowledge-bases/{uuid:base_id}/documents",
    response={200: Page[answers.Document]},
    summary="List documents",
)
@operation("knowledge:read")
def document_list(
    request: ApiRequest, base_id: UUID, cursor: str = "", limit: int = 50, status: str = ""
) -> Any:
    rows = selectors.documents_list(selectors.knowledge_base_get(base_id), status=status)
    listed = page(rows, cursor=cursor, limit=limit, render=lambda row: {"row": row})
    found = [item["row"] for item in listed["items"]]
    statuses = selectors.document_statuses(found)
    listed["items"] = [render.document(row, statuses[row.id]) for row in found]
    return 200, listed


@router.get(
    "/documents/{uuid:document_id}",
    response={200: answers.Document},
    summary="Read a document and how far it is",
)
@operation("knowledge:read")
def document_read(request: ApiRequest, document_id: UUID) -> Any:
    row = selectors.document_get(document_id)
    return 200, render.document(row, selectors.document_status(row))


@router.patch(
    "/documents/{uuid:document_id}",
    response={200: answers.Document},
    summary="Change title, metadata or validity",
)
@operation("knowledge:write")
def document_change(request: ApiRequest, document_id: UUID, body: schemas.DocumentPatch) -> Any:
    row = documents.document_update(
        actor=request.auth.actor,
        document=selectors.document_get(document_id),
        **body.model_dump(exclude_unset=True),
    )
    return 200, render.document(row, selectors.document_status(row))


@router.delete("/documents/{uuid:document_id}", response={204: None}, summary="Delete a document")
@operation("knowledge:write")
def document_delete(request: ApiRequest, document_id: UUID) -> HttpResponse:
    row = selectors.document_get(document_id)
    documents.document_delete(actor=request.auth.actor, document=row)
    return no_content()


@router.post(
    "/documents/{uuid:document_id}/retries",
    response={202: answers.Document},
    summary="Try the failed parts again",
)
@operation("knowledge:write")
def document_retry(request: ApiRequest, document_id: UUID) -> Any:
    row = selectors.document_get(document_id)
    documents.document_retry(actor=request.auth.actor, document=row)
    row = selectors.document_get(document_id)
    return 202, render.document(row, selectors.document_status(row))


@router.get(
    "/documents/{uuid:document_id}/chunks",
    response={200: Items[answers.Chunk]},
    summary="The passages of a document",
)
@operation("knowledge:read")
def document_chunks(request: ApiRequest, document_id: UUID) -> Any:
    row = selectors.document_get(document_id)
    return 200, {"items": [render.chunk(item) for item in selectors.chunks_of(row)]}


@router.post(
    "/knowledge-bases/{uuid:base_id}/search",
    response={200: answers.SearchResults},
    summary="Search one knowledge base",
)
@operation("knowledge:read", in_transaction=False)
def knowledge_base_search(request: ApiRequest, base_id: UUID, body: schemas.SearchIn) -> Any:
    with tenant_tx(request.auth.tenant_id):
        base = selectors.knowledge_base_get(base_id)
    found = search(
        knowledge_base_ids=[base.id],
        query=body.query,
        limit=body.limit,
        mode=body.mode,
        filters=body.filters.model_dump(exclude_none=True) if body.filters else None,
    )
    return 200, {
        "results": [render.hit(item) for item in found.hits],
        "notes": found.notes,
        "additions": [addition._asdict() for addition in found.additions],
    }
