"""Events of OpenAI-like servers as deltas: thoughts apart from text, one set of finish reasons."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.gateway.chat_http import Event, status_error, unusable
from furrow.gateway.chat_types import ChatDelta, FinishReason, ToolCallPart

OPEN, CLOSE = "<think>", "</think>"

_FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
# The server gave up: what came so far is no answer.
_BROKEN_OFF = {"abort", "aborted", "cancelled", "error", "insufficient_system_resource"}


class ThoughtSplitter:
    """Takes thoughts out of text that begins with `<think>`, wherever the pieces are cut.

    A model whose template has already opened the tag writes only its end; that cannot be told from text while
    it streams, so such a server must be started to split thoughts itself.
    """

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def feed(self, text: str) -> ChatDelta:
        self._held += text
        if self._state == "start":
            self._begin()
        if self._state == "start":
            return ChatDelta()
        if self._state == "text":
            return ChatDelta(text=self._take(len(self._held)))
        if self._state == "after":
            return ChatDelta(text=self._after())
        thoughts, tag, rest = self._held.partition(CLOSE)
        if not tag:
            return ChatDelta(reasoning=self._take(len(self._held) - _overlap(self._held, CLOSE)))
        self._state, self._held = "after", rest
        return ChatDelta(reasoning=thoughts, text=self._after())

    def flush(self) -> ChatDelta:
        """What was held back because a tag might have been in it."""
        held = self._take(len(self._held))
        return ChatDelta(reasoning=held) if self._state == "thought" else ChatDelta(text=held)

    def _begin(self) -> None:
        begun = self._held.lstrip()
        if begun.startswith(OPEN):
            self._state, self._held = "thought", begun[len(OPEN) :]
        elif not OPEN.startswith(begun):
            self._state = "text"

    def _after(self) -> str:
        """The answer's first text, without the blank lines between thoughts and answer."""
        self._held = self._held.lstrip("\n")
        if self._held:
            self._state = "text"
        return self._take(len(self._held))

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        return taken


def _overlap(text: str, tag: str) -> int:
    """How much of the text's end may be the beginning of the tag."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)


class EventReader:
    """Events of one call to deltas. Raises for events that say that the call failed."""

    def __init__(self, *, splits_thoughts: bool) -> None:
        self.finish_reason: FinishReason | None = None
        self._splitter = None if splits_thoughts else ThoughtSplitter()

    def delta(self, event: Event) -> ChatDelta:
        """Empty for an event without an answer in it, as the one with the usage."""
        if error := event.get("error"):
            raise _event_error(error)
        choices = event.get("choices") or [{}]
        if not isinstance(choices, list) or not isinstance(choices[0], dict):
            raise unusable()
        choice = choices[0]
        # A server that does not stream says `message` and means the whole.
        part = choice.get("delta") or choice.get("message") or {}
        if not isinstance(part, dict):
            raise unusable()
        delta = self._delta(part, choice.get("finish_reason"))
        logprobs = choice.get("logprobs")
        return replace(delta, logprobs=logprobs) if isinstance(logprobs, dict) else delta

    def rest(self) -> ChatDelta:
        """What is still held back when nothing follows."""
        return ChatDelta() if self._splitter is None else self._splitter.flush()

    def _delta(self, part: Mapping[str, Any], finished: Any) -> ChatDelta:
        # vLLM renamed the field; some servers fill in both.
        reasoning = _text(part, "reasoning_content") or _text(part, "reasoning")
        text = _text(part, "content") or _text(part, "refusal")
        if reasoning:
            # This server splits; a tag in its text is the model's own words.
            text = self._released() + text
            self._splitter = None
        if self._splitter is not None:
            found = self._splitter.feed(text)
            rest = self._splitter.flush() if finished else ChatDelta()
            reasoning, text = found.reasoning + rest.reasoning, found.text + rest.text
        reason = self._reason(finished)
        return ChatDelta(text, reasoning, _tool_calls(part), reason)

    def _released(self) -> str:
        return "" if self._splitter is None else self._splitter.flush().text

    def _reason(self, finished: Any) -> FinishReason | None:
        if not finished:
            return None
        if finished in _BROKEN_OFF:
            raise UpstreamFailed("The model server broke off its answer.", code="chat_cut")
        self.finish_reason = _FINISH_REASONS.get(str(finished), "other")
        return self.finish_reason


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise unusable()
    return value


def _tool_calls(part: Mapping[str, Any]) -> tuple[ToolCallPart, ...]:
    calls = part.get("tool_calls") or ()
    try:
        return tuple(_tool_call(call, n) for n, call in enumerate(calls))
    except (AttributeError, TypeError):
        raise unusable() from None


def _tool_call(call: Mapping[str, Any], position: int) -> ToolCallPart:
    function = call.get("function") or {}
    index = call.get("index")
    part = ToolCallPart(
        index=position if index is None else index,
        id=call.get("id") or "",
        name=function.get("name") or "",
        arguments=function.get("arguments") or "",
    )
    if type(part.index) is not int or not all(
        isinstance(value, str) for value in (part.id, part.name, part.arguments)
    ):
        raise TypeError
    return part


def _event_error(error: Any) -> UpstreamFailed | LimitReached:
    """An error sent after the head. Its number is a status in some servers and in others its code is."""
    if not isinstance(error, dict):
        return UpstreamFailed("The model server failed.", code="chat_failed")
    code, kind = error.get("code"), str(error.get("type") or "")
    if type(code) is int and 400 <= code <= 599:
        return status_error(code, kind)
    if kind == "rate_limit_error":
        return status_error(429, str(code or ""))
    if code in {"unavailable", "overloaded"}:
        return status_error(503, str(code))
    is_refusal = kind in {"invalid_request_error", "BadRequestError"}
    return status_error(400 if is_refusal else 500, str(code or ""))
