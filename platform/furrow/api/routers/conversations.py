"""Conversations, messages (JSON or a stream), feedback and tickets."""

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from ninja import Router, Status

from furrow.api import render, schemas
from furrow.api.answers import Page
from furrow.api.answers import conversations as answers
from furrow.api.idempotency import fingerprint, run_once
from furrow.api.operation import ApiRequest, operation
from furrow.api.pagination import page
from furrow.assistants.selectors import assistant_get
from furrow.conversations import selectors, services, streams
from furrow.conversations.models import Conversation
from furrow.core.context import release_connection, tenant_tx
from furrow.metering.attribution import attributed

router = Router(tags=["conversations"])
ANSWER_TIMEOUT_S = 60.0


@router.post(
    "/assistants/{uuid:assistant_id}/conversations",
    response={201: answers.Conversation},
    summary="Begin a conversation",
)
@operation("conversations:write")
def conversation_create(
    request: ApiRequest, assistant_id: UUID, body: schemas.ConversationIn | None = None
) -> Any:
    row = services.conversation_create(
        assistant=assistant_get(assistant_id),
        channel=Conversation.Channel.API,
        language=body.language if body else "",
    )
    return 201, render.conversation(row)


@router.get(
    "/conversations",
    response={200: Page[answers.Conversation]},
    summary="List conversations",
)
@operation("conversations:read")
def conversation_list(request: ApiRequest, cursor: str = "", limit: int = 50) -> Any:
    rows = selectors.conversations_list()
    return 200, page(rows, cursor=cursor, limit=limit, render=render.conversation)


@router.get(
    "/conversations/{uuid:conversation_id}",
    response={200: answers.Conversation},
    summary="Read a conversation",
)
@operation("conversations:read")
def conversation_read(request: ApiRequest, conversation_id: UUID) -> Any:
    return 200, render.conversation(selectors.conversation_get(conversation_id))


@router.get(
    "/conversations/{uuid:conversation_id}/messages",
    response={200: Page[answers.Message]},
    summary="Questions and answers",
)
@operation("conversations:read")
def message_list(
    request: ApiRequest, conversation_id: UUID, cursor: str = "", limit: int = 50
) -> Any:
    rows = selectors.turns_of(selectors.conversation_get(conversation_id))
    return 200, page(
        rows,
        cursor=cursor,
        limit=limit,
        render=lambda turn: {"question": turn.text, **selectors.turn_payload(turn)},
    )


@router.post(
    "/conversations/{uuid:conversation_id}/messages",
    response={200: answers.Answer, 202: answers.Answer},
    summary="Ask: answers as JSON, or as a stream with Accept: text/event-stream",
)
def message_create(request: ApiRequest, conversation_id: UUID, body: schemas.MessageIn) -> Any:
    """The turn is stored before the answer is awaited, so a client that loses the connection finds it again
    under the same Idempotency-Key or at `GET /turns/{id}`.
    """
    request.auth.require("conversations:write")
    with attributed(api_key_id=request.auth.key.id):
        turn_id = _turn_once(request, conversation_id, body.text)
    tenant_id = request.auth.tenant_id
    if "text/event-stream" in request.headers.get("Accept", ""):
        return streams.sse_response(request, tenant_id, turn_id)
    with tenant_tx(tenant_id):
        turn = selectors.turn_get(turn_id)
    release_connection()
    payload = services.wait_for_turn(turn, timeout_s=ANSWER_TIMEOUT_S)
    return Status(200 if payload["status"] in {"done", "failed"} else 202, payload)


def _turn_once(request: ApiRequest, conversation_id: UUID, text: str) -> UUID:
    tenant_id = request.auth.tenant_id

    def ask() -> tuple[int, Any]:
        conversation = selectors.conversation_get(conversation_id)
        return 202, {"turn_id": services.turn_create(conversation=conversation, text=text).id}

    key = request.headers.get("Idempotency-Key", "")
    if key:
        _, kept = run_once(
            tenant_id=tenant_id,
            caller=request.auth.caller,
            key=key,
            digest=fingerprint(request),
            action=ask,
        )
    else:
        with tenant_tx(tenant_id):
            _, kept = ask()
    return UUID(str(kept["turn_id"]))


@router.get("/turns/{uuid:turn_id}", response={200: answers.Answer}, summary="Read a turn")
@operation("conversations:read")
def turn_read(request: ApiRequest, turn_id: UUID) -> Any:
    return 200, selectors.turn_payload(selectors.turn_get(turn_id))


@router.get("/turns/{uuid:turn_id}/events", summary="Follow a turn; resume with Last-Event-ID")
def turn_events(request: ApiRequest, turn_id: UUID) -> HttpResponseBase:
    request.auth.require("conversations:read")
    with tenant_tx(request.auth.tenant_id):
        turn = selectors.turn_get(turn_id)
    return streams.sse_response(request, request.auth.tenant_id, turn.id)


@router.post(
    "/turns/{uuid:turn_id}/feedback", response={201: answers.FeedbackKept}, summary="Rate an answer"
)
@operation("conversations:write")
def feedback_create(request: ApiRequest, turn_id: UUID, body: schemas.FeedbackIn) -> Any:
    turn = selectors.turn_get(turn_id)
    services.feedback_set(turn=turn, value=body.value, comment=body.comment)
    return 201, {"turn_id": turn.id, "value": body.value}


@router.post(
    "/conversations/{uuid:conversation_id}/tickets",
    response={201: answers.Ticket},
    summary="Ask for a person",
)
@operation("conversations:write")
def ticket_create(request: ApiRequest, conversation_id: UUID, body: schemas.TicketIn) -> Any:
    row = services.ticket_open(
        conversation=selectors.conversation_get(conversation_id),
        contact=body.contact,
        note=body.note,
    )
    return 201, render.ticket(row)


@router.get("/tickets", response={200: Page[answers.Ticket]}, summary="List tickets")
@operation("conversations:read")
def ticket_list(request: ApiRequest, cursor: str = "", limit: int = 50) -> Any:
    return 200, page(selectors.tickets_list(), cursor=cursor, limit=limit, render=render.ticket)
