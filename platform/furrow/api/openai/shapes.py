"""The objects of OpenAI's chat protocol, made for streams and whole answers by the same code."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from furrow.gateway.chat_types import ChatDelta, ToolCallPart

# OpenAI has no word for an end of another kind.
_FINISH = {"other": "stop"}


def usage_object(*, in_hit: int, in_miss: int, out: int, reasoning: int) -> dict[str, Any]:
    """OpenAI's counts, with DeepSeek's two names for the parts of the prompt beside them."""
    prompt, completion = in_hit + in_miss, out + reasoning
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": in_hit},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
        "prompt_cache_hit_tokens": in_hit,
        "prompt_cache_miss_tokens": in_miss,
    }


@dataclass
class Answering:
    """One answer: what its chunks have in common, and what was said so far. `usage` stays null in the chunks
    of a stream whose reader asked for it, until the last.
    """

    id: str
    model: str
    wants_usage: bool = False
    created: int = field(default_factory=lambda: int(time.time()))
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)
    calls: dict[int, ToolCallPart] = field(default_factory=dict)
    finish_reason: str | None = None

    @classmethod
    def new(cls, model: str, *, wants_usage: bool = False) -> "Answering":
        return cls(f"chatcmpl-{uuid.uuid4().hex}", model, wants_usage)

    def chunk(
        self, delta: Mapping[str, Any], *, finish: str | None = None, logprobs: Any = None
    ) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": logprobs}
        return self._chunk([choice])

    def usage_chunk(self, usage: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._chunk([]), "usage": usage}

    def _chunk(self, choices: list[Any]) -> dict[str, Any]:
        shared = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }
        return {**shared, "usage": None} if self.wants_usage else shared

    def delta_chunk(self, delta: ChatDelta) -> dict[str, Any]:
        said: dict[str, Any] = {}
        if delta.text:
            said["content"] = delta.text
        if delta.reasoning:
            said["reasoning_content"] = delta.reasoning
        if delta.tool_calls:
            said["tool_calls"] = [_call_part(call) for call in delta.tool_calls]
        finish = _FINISH.get(delta.finish_reason or "", delta.finish_reason)
        return self.chunk(said, finish=finish, logprobs=delta.logprobs)

    def hear(self, delta: ChatDelta) -> None:
        """Gathers a whole answer."""
        if delta.text:
            self.text.append(delta.text)
        if delta.reasoning:
            self.reasoning.append(delta.reasoning)
        if delta.logprobs:
            self.logprobs += delta.logprobs.get("content") or []
        for part in delta.tool_calls:
            known = self.calls.get(part.index, ToolCallPart(part.index))
            self.calls[part.index] = ToolCallPart(
                part.index,
                known.id or part.id,
                known.name or part.name,
                known.arguments + part.arguments,
            )
        if delta.finish_reason:
            self.finish_reason = _FINISH.get(delta.finish_reason, delta.finish_reason)

    def completion(self, usage: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """The whole answer; `more` goes into its message."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.text)}
        if self.reasoning:
            message["reasoning_content"] = "".join(self.reasoning)
        if self.calls:
            message["content"] = message["content"] or None
            message["tool_calls"] = [_call_whole(self.calls[n]) for n in sorted(self.calls)]
        choice = {
            "index": 0,
            "message": message | more,
            "finish_reason": self.finish_reason or "stop",
            "logprobs": {"content": self.logprobs} if self.logprobs else None,
        }
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [choice],
            "usage": usage,
        }


def _call_part(call: ToolCallPart) -> dict[str, Any]:
    """Id and name come with the first part only."""
    function = {"arguments": call.arguments}
    if call.name:
        function["name"] = call.name
    part: dict[str, Any] = {"index": call.index, "function": function}
    return {**part, "id": call.id, "type": "function"} if call.id or call.name else part


def _call_whole(call: ToolCallPart) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}
