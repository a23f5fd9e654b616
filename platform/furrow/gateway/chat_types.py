"""What goes into a chat call and what comes out of it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from furrow.gateway.usage import Basis
from furrow.metering.counts import Counts

Priority = Literal["interactive", "standard", "batch"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "other"]
Status = Literal["complete", "aborted", "failed"]


def _call_id() -> str:
    return f"chat-{uuid.uuid4().hex}"


@dataclass(frozen=True, kw_only=True)
class ChatRequest:
    """One question to a chat model, in OpenAI's message format.

    `options` may hold what shapes the answer (temperature, tools, response_format, ...); anything else in it,
    above all what would choose a server or a cache, is dropped. `max_tokens` is held to `CHAT_MAX_TOKENS`.
    `request_id` exists before the call, so that whatever the call leaves behind can be found by it; it is
    ours, random and used once, never a caller's.
    """

    messages: Sequence[Mapping[str, Any]]
    model: str | None = None
    max_tokens: int | None = None
    thinking: bool | None = None
    priority: Priority = "interactive"
    options: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = field(default_factory=_call_id)


@dataclass(frozen=True, slots=True)
class ToolCallPart:
    """A piece of a tool call. The first of an `index` names the function, the rest add arguments."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class ChatDelta:
    """The next piece of an answer. An empty one is a sign of life of a server that has nothing yet."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallPart, ...] = ()
    finish_reason: FinishReason | None = None
    logprobs: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatUsage:
    """What a call used. `estimated` counts may be corrected by the server's receipt. `max_tokens` is how long
    the answer could be, and `is_shortened` that a budget bought no more.
    """

    request_id: str
    model: str
    usage: Counts
    basis: Basis
    status: Status
    max_tokens: int
    is_shortened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAnswer:
    """A whole answer; `tool_calls` holds one complete part for each call."""

    text: str
    reasoning: str
    tool_calls: tuple[ToolCallPart, ...]
    finish_reason: FinishReason
    usage: ChatUsage
