"""Deltas to OpenAI's shapes. A whole answer is folded from the same parts as a stream, so the
two cannot differ."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from inference.engine.output import Vocabulary
from inference.engine.request import Delta, FinishReason, Logprob, Request
from inference.server.chat_model import request_usage
from inference.server.tool_calls import Piece, ToolForm, ToolSplitter

Part = dict[str, Any]


class ChoiceWriter(Protocol):
    """One choice: deltas in, the parts of its chunks out, then folded into a whole."""

    def parts(self, delta: Delta) -> list[Part]:
        """Chunk choices without index; the last has a finish_reason."""
        ...

    def whole(self, parts: Iterable[Part]) -> Part: ...


@dataclass(slots=True)
class ChatChoice:
    """A choice of a chat completion."""

    vocabulary: Vocabulary
    tool_form: ToolForm | None = None
    has_token_ids: bool = False
    has_logprobs: bool = False
    _is_begun: bool = False
    _tools: ToolSplitter | None = None

    def __post_init__(self) -> None:
        if self.tool_form is not None:
            self._tools = ToolSplitter(self.tool_form)

    def parts(self, delta: Delta) -> list[Part]:
        found: list[Part] = []
        if not self._is_begun:
            self._is_begun = True
            found.append({"role": "assistant", "content": ""})
        if delta.reasoning:
            found.append({"reasoning_content": delta.reasoning})
        if self._tools is not None:
            pieces = self._tools.feed(delta.text)
            if delta.finish_reason is not None:
                pieces += self._tools.flush()
            found += [_tool_delta(piece) for piece in pieces]
        elif delta.text:
            found.append({"content": delta.text})
        parts = [self._part(content) for content in found]
        self._annotate(parts, delta)
        if delta.finish_reason is not None:
            parts.append(self._part({}) | {"finish_reason": self._reason(delta.finish_reason)})
        return parts

    def whole(self, parts: Iterable[Part]) -> Part:
        message: dict[str, Any] = {"role": "assistant", "content": None}
        choice: Part = {"message": message, "logprobs": None, "finish_reason": None}
        for part in parts:
            _fold_message(message, part["delta"])
            _fold_extras(choice, part)
        if message["content"] == "" and "tool_calls" in message:
            message["content"] = None
        return choice

    def _part(self, content: Part) -> Part:
        return {"delta": content, "logprobs": None, "finish_reason": None}

    def _annotate(self, parts: list[Part], delta: Delta) -> None:
        """Logprobs and ids go with the first part of their step, if need be an empty one."""
        wants_ids = self.has_token_ids and delta.token_ids
        wants_logprobs = self.has_logprobs and delta.logprobs
        if (wants_ids or wants_logprobs) and not parts:
            parts.append(self._part({}))
        if wants_ids:
            parts[-1]["token_ids"] = list(delta.token_ids)
        if wants_logprobs:
            entries = [chat_logprob(entry, self.vocabulary) for entry in delta.logprobs]
            parts[-1]["logprobs"] = {"content": entries, "refusal": None}

    def _reason(self, reason: FinishReason) -> str:
        has_called = self._tools is not None and self._tools.calls > 0
        is_call = has_called and reason is FinishReason.STOP
        return "tool_calls" if is_call else str(reason)


@dataclass(slots=True)
class TextChoice:
    """A choice of a text completion."""

    vocabulary: Vocabulary
    has_token_ids: bool = False
    _shown: int = 0

    def parts(self, delta: Delta) -> list[Part]:
        part: Part = {"text": delta.text, "logprobs": None, "finish_reason": None}
        if delta.logprobs:
            part["logprobs"] = self._logprobs(delta.logprobs)
        if self.has_token_ids:
            part["token_ids"] = list(delta.token_ids)
        if delta.finish_reason is not None:
            part["finish_reason"] = str(delta.finish_reason)
        elif not (delta.text or delta.logprobs or self.has_token_ids):
            return []
        return [part]

    def whole(self, parts: Iterable[Part]) -> Part:
        choice: Part = {"text": "", "logprobs": None, "finish_reason": None}
        for part in parts:
            choice["text"] += part["text"]
            _fold_extras(choice, part)
        return choice

    def _logprobs(self, entries: tuple[Logprob, ...]) -> Part:
        found: Part = {"tokens": [], "token_logprobs": [], "top_logprobs": [], "text_offset": []}
        for entry in entries:
            text = self.vocabulary.decode([entry.token])
            found["tokens"].append(text)
            found["token_logprobs"].append(entry.logprob)
            found["top_logprobs"].append(
                {self.vocabulary.decode([n]): value for n, value in entry.top}
            )
            found["text_offset"].append(self._shown)
            self._shown += len(text)
        return found


@dataclass(slots=True)
class Answer:
    """The envelope of one answer: the same id, time and model in all of its chunks."""

    request: Request
    model: str
    kind: str
    choices: list[ChoiceWriter]
    created: int = field(default_factory=lambda: int(time.time()))

    def chunks(self, delta: Delta, *, includes_usage: bool) -> list[Part]:
        chunks = []
        for part in self.choices[delta.index].parts(delta):
            chunk = self._envelope("chunk", [{"index": delta.index, **part}])
            if includes_usage:
                chunk["usage"] = None
            chunks.append(chunk)
        return chunks

    def usage_chunk(self) -> Part:
        return self._envelope("chunk", []) | {"usage": request_usage(self.request).for_chat()}

    def whole(self, deltas: Iterable[Delta]) -> Part:
        parts: list[list[Part]] = [[] for _ in self.choices]
        for delta in deltas:
            parts[delta.index] += self.choices[delta.index].parts(delta)
        choices = [{"index": n, **writer.whole(parts[n])} for n, writer in enumerate(self.choices)]
        return self._envelope("", choices) | {"usage": request_usage(self.request).for_chat()}

    def _envelope(self, suffix: str, choices: list[Part]) -> Part:
        is_chat = self.kind == "chat"
        kind = "text_completion" if not is_chat else "chat.completion"
        return {
            "id": f"{'chatcmpl' if is_chat else 'cmpl'}-{self.request.request_id}",
            "object": f"{kind}.{suffix}" if suffix and is_chat else kind,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }


def chat_logprob(entry: Logprob, vocabulary: Vocabulary) -> Part:
    def shown(token: int, logprob: float) -> Part:
        raw = list(vocabulary.raw(token))
        return {"token": vocabulary.decode([token]), "logprob": logprob, "bytes": raw}

    top = [shown(token, logprob) for token, logprob in entry.top]
    return shown(entry.token, entry.logprob) | {"top_logprobs": top}


def _tool_delta(piece: Piece) -> Part:
    if piece.index is None:
        return {"content": piece.text}
    call: Part = {"index": piece.index, "function": {"arguments": piece.arguments}}
    if piece.name is not None:
        call |= {"id": piece.call_id, "type": "function"}
        call["function"] = {"name": piece.name, "arguments": ""}
    return {"tool_calls": [call]}


def _fold_message(message: Part, delta: Part) -> None:
    for key in ("content", "reasoning_content"):
        if key in delta:
            message[key] = (message.get(key) or "") + delta[key]
    for call in delta.get("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if call["index"] == len(calls):
            calls.append({key: call[key] for key in ("id", "type", "function")})
        else:
            calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]


def _fold_extras(choice: Part, part: Part) -> None:
    if part.get("token_ids") is not None:
        choice.setdefault("token_ids", []).extend(part["token_ids"])
    if part["logprobs"] is not None:
        if choice["logprobs"] is None:
            choice["logprobs"] = {}
        for key, value in part["logprobs"].items():
            known = choice["logprobs"].get(key)
            choice["logprobs"][key] = value if known is None else known + value
    choice["finish_reason"] = part["finish_reason"] or choice["finish_reason"]
