"""How much a chat call can use at most, known before it is made."""

import json
from typing import Any

from django.conf import settings

from furrow.gateway.usage import TextWeight
from furrow.metering.holds import Bounds

# What a template puts around each message, around tools and at the ends, generously.
_MESSAGE_TOKENS = 32
_TEMPLATE_TOKENS = 64
_TOOLS_TOKENS = 1024
# An answer shorter than this is no answer: refusing says more.
LEAST_ANSWER = 16


def bounds_of(body: dict[str, Any], wanted: int | None) -> Bounds:
    """The most a call can use: a prompt of as many tokens as bytes, which no tokenizer exceeds, and one answer
    of the `wanted` length within the limits of the installation and the model.
    """
    most = settings.CHAT_MAX_TOKENS
    asked = most if wanted is None else max(min(wanted, most), 1)
    room = _room(body)
    if room is not None and wanted is None:
        asked = max(min(asked, room), LEAST_ANSWER)
    return Bounds(_most_prompt(body), asked, least_out=min(asked, LEAST_ANSWER))


def prompt_weight(body: dict[str, Any]) -> TextWeight:
    """The likely tokens of a prompt."""
    weight = TextWeight()
    for message in body["messages"]:
        # A template puts a role and an end around each message.
        weight.add("=" * 16 + str(message.get("content") or ""))
        weight.add(str(message.get("tool_calls") or ""))
    weight.add(str(body.get("tools") or ""))
    return weight


def _room(body: dict[str, Any]) -> int | None:
    """What the model's context likely leaves for the answer; None when its length is not set."""
    context = settings.CHAT_CONTEXT_TOKENS
    if not context:
        return None
    likely = prompt_weight(body).tokens
    return int(context - likely - likely // 4 - _TEMPLATE_TOKENS)


def _most_prompt(body: dict[str, Any]) -> int:
    tokens = _TEMPLATE_TOKENS
    for message in body["messages"]:
        tokens += _MESSAGE_TOKENS + sum(_bytes(value) for value in message.values())
    for name in ("tools", "response_format"):
        if body.get(name):
            tokens += _TOOLS_TOKENS + _bytes(body[name])
    return min(tokens, settings.CHAT_CONTEXT_TOKENS or tokens)


def _bytes(value: Any) -> int:
    # Templates write objects as JSON, some with its escapes of characters that are not ASCII.
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return len(text.encode(errors="replace"))
