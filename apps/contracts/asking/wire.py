"""One question to the language model that is answered as JSON of a given shape, or not at all."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from furrow.core.logs import get_logger
from furrow.gateway.chat import chat
from furrow.gateway.chat_types import ChatRequest

Messages = Sequence[Mapping[str, str]]
log = get_logger(__name__)


def answer_shape(name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's `response_format`: every property is there, and no other."""
    schema = {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": True, "schema": schema},
    }


def json_asked(messages: Messages, shape: Mapping[str, Any], *, max_tokens: int) -> Any:
    """What the model answered, or None where that is no JSON object. Outside of a transaction, as the current
    tenant; raises `LimitReached` and `UpstreamFailed`.
    """
    answer = chat(
        ChatRequest(
            messages=messages,
            max_tokens=min(max_tokens, settings.CHAT_MAX_TOKENS),
            thinking=False,
            priority="standard",
            options={"temperature": 0, "response_format": dict(shape)},
        )
    )
    found = json_read(answer.text)
    if found is None:
        log.warning("answer_is_no_json", call_id=answer.usage.request_id, length=len(answer.text))
    return found


def json_read(text: str) -> dict[str, Any] | None:
    """The object in the text. Servers that know no shapes put it into a fence, or words around it."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        found = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
