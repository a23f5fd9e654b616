"""Which models a key may name: those open to its tenant and the tenant's published assistants."""

from typing import Any
from uuid import UUID

from django.conf import settings

from furrow.api.openai.errors import model_missing
from furrow.assistants.models import Assistant
from furrow.assistants.selectors import assistants_list
from furrow.core.context import tenant_tx
from furrow.gateway.chat import chat_is_configured, chat_models

PREFIX = "assistant:"


def assistant_id_of(model: str) -> UUID:
    try:
        return UUID(model.removeprefix(PREFIX))
    except ValueError:
        raise model_missing(model) from None


def chat_model_check(tenant_id: UUID, model: str) -> None:
    """In a thread. The server's own model is left to the hold, which looks in the same trip."""
    if chat_is_configured() and model == settings.CHAT_MODEL:
        return
    with tenant_tx(tenant_id):
        if model not in chat_models():
            raise model_missing(model)


def embedding_model_check(model: str) -> None:
    if model != settings.EMBEDDINGS_MODEL:
        raise model_missing(model)


def models_list(tenant_id: UUID, scopes: list[str]) -> list[dict[str, Any]]:
    """What a key with these scopes can call. In a thread."""
    found: list[dict[str, Any]] = []
    if "models:use" in scopes:
        with tenant_tx(tenant_id):
            found += [_model(name, "chat") for name in chat_models()]
        found.append(_model(settings.EMBEDDINGS_MODEL, "embedding"))
    if "conversations:write" in scopes:
        found += [_assistant(row) for row in published_assistants(tenant_id)]
    return found


def published_assistants(tenant_id: UUID) -> list[Assistant]:
    """In a thread."""
    with tenant_tx(tenant_id):
        return list(assistants_list().filter(published__isnull=False))


def _model(name: str, kind: str) -> dict[str, Any]:
    # When a model began is not known; OpenAI's clients want a number.
    return {"id": name, "object": "model", "created": 0, "owned_by": "furrow", "kind": kind}


def _assistant(row: Assistant) -> dict[str, Any]:
    return {
        "id": f"{PREFIX}{row.id}",
        "object": "model",
        "created": int(row.created_at.timestamp()),
        "owned_by": "you",
        "kind": "assistant",
        "name": row.name,
    }
