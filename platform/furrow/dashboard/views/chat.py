"""The live test chat beside the editor. Its conversations are tests: they reach no figure and no list."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import get_language

from furrow.assistants.models import Assistant
from furrow.assistants.selectors import assistant_get
from furrow.conversations import selectors, services
from furrow.conversations.models import Conversation, Turn
from furrow.core.errors import NotFound
from furrow.dashboard.doors import needs, page_url, text_of, wants_json
from furrow.tenants.web import TenantRequest


def test_chat(request: TenantRequest, assistant: Assistant) -> dict[str, Any]:
    """The test conversation named by `?conversation=`, for a page that is loaded again."""
    conversation = _conversation(assistant, request.GET.get("conversation", ""))
    turns = selectors.turns_of(conversation) if conversation else []
    return {"conversation": conversation, "turns": turns}


@needs(post="answer")
def chat(request: TenantRequest, assistant_id: UUID) -> HttpResponse:
    """Stores the question. Scripts get the addresses of the stream and of the finished answer."""
    assistant = assistant_get(assistant_id)
    conversation = _conversation(assistant, text_of(request, "conversation"))
    if conversation is None:
        conversation = services.conversation_create(
            assistant=assistant,
            channel=Conversation.Channel.DASHBOARD,
            language=get_language() or "",
            is_test=True,
        )
    text = text_of(request, "text")
    turn = services.turn_create(conversation=conversation, text=text, use_draft=True)
    if not wants_json(request):
        editor = page_url(request, "assistant", assistant.id)
        return redirect(f"{editor}?conversation={conversation.id}")
    return JsonResponse(
        {
            "conversation": str(conversation.id),
            "events": reverse("turn_events", args=[request.tenant.slug, turn.id]),
            "details": page_url(request, "turn", turn.id),
        },
        status=201,
    )


def _conversation(assistant: Assistant, text: str) -> Conversation | None:
    try:
        found = selectors.conversation_get(UUID(text)) if text else None
    except (ValueError, NotFound):
        return None
    is_own = found is not None and found.is_test and found.assistant_id == assistant.id
    return found if is_own else None


@needs(get="view")
def turn(request: TenantRequest, turn_id: UUID) -> TemplateResponse:
    """One question with its answer, citations and the way down the ladder."""
    found: Turn = selectors.turn_get(turn_id)
    in_chat = bool(request.htmx)  # type: ignore[attr-defined]
    template = "dashboard/_turn.html" if in_chat else "dashboard/turn.html"
    context = {"turn": found, "with_trace": True, "in_chat": in_chat}
    return TemplateResponse(request, template, context)
