"""Tool calls split off while they stream, and the grammar that makes a model call a tool.

Hermes and Qwen write <tool_call>{"name", "arguments"}</tool_call>; Granite writes one JSON list
of such objects behind <|tool_call|>, up to the end of its answer; DeepSeek writes the name, a
separator and the arguments, older models in a fenced block. gpt-oss's calls arrive here in the
Hermes form, see `engine.reasoning`.
"""

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from inference.engine.grammar import JSON_LAYOUT
from inference.engine.stops import held_tail

NAME = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*')

# An empty text in a grammar.
EMPTY = '""'
# DeepSeek's: before the arguments, with the kind of call and a fence in older models.
PLAIN_NAME = re.compile(
    r"\s*(?:function<｜tool▁sep｜>)?([^\n<{]+?)(?:<｜tool▁sep｜>|\n)\s*(?:```json\s*)?(?=\{)"
)


@dataclass(frozen=True, slots=True)
class ToolForm:
    """How a model writes calls; without an end tag they are a list to the end of the answer.

    `around` stands before and behind all calls. With a separator a call is no JSON object: its
    name stands between the lead and the arguments.
    """

    start: str
    end: str = ""
    around: tuple[str, str] = ("", "")
    separator: str = ""
    lead: str = ""
    fence: tuple[str, str] = ("", "")

    def before_arguments(self, name: str) -> str:
        return f"{self.lead}{name}{self.fence[0] or self.separator}"


HERMES = ToolForm("<tool_call>", "</tool_call>")
GRANITE = ToolForm("<|tool_call|>")
DEEPSEEK = ToolForm(
    *("<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
    around=("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
    separator="<｜tool▁sep｜>",
)
DEEPSEEK_FENCED = replace(
    DEEPSEEK, lead=f"function{DEEPSEEK.separator}", fence=("\n```json\n", "\n```")
)


@dataclass(slots=True)
class Piece:
    """Either text, or a part of the tool call number `index`, whose first part has a name."""

    text: str = ""
    index: int | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(slots=True)
class JsonEnd:
    """Finds where a JSON object ends, fed character by character."""

    depth: int = 0
    in_string: bool = False
    is_escaped: bool = False

    def feed(self, text: str) -> int | None:
        """The place behind the object's last character, or None while it goes on."""
        for place, char in enumerate(text):
            if self._is_end(char):
                return place + 1
        return None

    def _is_end(self, char: str) -> bool:
        if self.in_string:
            self.in_string = self.is_escaped or char != '"'
            self.is_escaped = char == "\\" and not self.is_escaped
            return False
        if char == '"':
            self.in_string = True
        elif char in "{[":
            self.depth += 1
        elif char in "}]":
            self.depth -= 1
            return self.depth <= 0
        return False


@dataclass(slots=True)
class ToolSplitter:
    """Feed text as it comes. A call that is no JSON in the end is given back as text."""

    form: ToolForm = HERMES
    calls: int = 0
    _held: str = ""
    _is_inside: bool = False
    _end: JsonEnd | None = None
    _is_written: bool = False
    _pieces: list[Piece] = field(default_factory=list)

    def feed(self, text: str) -> list[Piece]:
        self._held += text
        while self._advance():
            pass
        return self._taken()

    def flush(self) -> list[Piece]:
        """What was held back, once no more text comes."""
        if self._is_inside and not self._is_written and self._end is None:
            # Some models leave the closing tag out, others have none.
            self._finish_calls(self._held, closing="")
        elif not self._is_inside:
            self._text(self._held)
        self._held = ""
        return self._taken()

    def _taken(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def _advance(self) -> bool:
        """Make one move; false when more text is needed."""
        if not self._is_inside:
            return self._look_for_start()
        if not self.form.end:
            return False
        if self._is_written:
            return self._look_for_end()
        if self._end is not None:
            return self._stream_arguments(self._end)
        return self._look_for_name()

    def _look_for_start(self) -> bool:
        for mark in filter(None, self.form.around):
            self._held = self._held.replace(mark, "")
        before, tag, after = self._held.partition(self.form.start)
        if not tag:
            marks = (self.form.start, *filter(None, self.form.around))
            keep = len(self._held) - held_tail(self._held, marks)
            # Line breaks before a call belong to its layout, so they wait too.
            keep = len(self._held[:keep].rstrip("\n"))
            self._text(self._held[:keep])
            self._held = self._held[keep:]
            return False
        self._text(before.rstrip("\n"))
        self._held, self._is_inside = after, True
        return True

    def _look_for_name(self) -> bool:
        match = (PLAIN_NAME if self.form.separator else NAME).match(self._held)
        if match and self._held[match.end() :].startswith("{"):
            self._open_call(match[1].strip() if self.form.separator else json.loads(match[1]))
            self._held, self._end = self._held[match.end() :], JsonEnd()
            return True
        if self.form.end in self._held:
            call, _, self._held = self._held.partition(self.form.end)
            self._finish_calls(call, closing=self.form.end)
            self._is_inside = False
            return True
        return False

    def _stream_arguments(self, end: JsonEnd) -> bool:
        at = end.feed(self._held)
        self._argue(self._held if at is None else self._held[:at])
        self._held = "" if at is None else self._held[at:]
        if at is None:
            return False
        self._end, self._is_written = None, True
        return True

    def _look_for_end(self) -> bool:
        _, tag, after = self._held.partition(self.form.end)
        if not tag:
            return False
        self._held, self._is_inside, self._is_written = after, False, False
        return True

    def _finish_calls(self, text: str, *, closing: str) -> None:
        """Whole calls: a list of them, or one whose keys came in another order."""
        try:
            found = json.loads(text)
            calls = found if isinstance(found, list) and not self.form.end else [found]
            named = [(str(call["name"]), call.get("arguments", {})) for call in calls]
        except (ValueError, TypeError, KeyError, AttributeError):
            self._text(f"{self.form.start}{text}{closing}")
            return
        for name, arguments in named:
            self._open_call(name)
            is_text = isinstance(arguments, str)
            self._argue(arguments if is_text else json.dumps(arguments, ensure_ascii=False))

    def _open_call(self, name: str) -> None:
        call_id = f"call_{uuid.uuid4().hex[:24]}"
        self._pieces.append(Piece(index=self.calls, call_id=call_id, name=name))
        self.calls += 1

    def _argue(self, text: str) -> None:
        if text:
            self._pieces.append(Piece(index=self.calls - 1, arguments=text))

    def _text(self, text: str) -> None:
        if text and not (self.calls and not text.strip()):
            self._pieces.append(Piece(text=text))


def call_grammar(
    tools: list[dict[str, Any]], is_token: Callable[[str], bool], form: ToolForm = HERMES
) -> str:
    """A Lark grammar for one or more calls of these tools and nothing else."""
    # Written as text, a tag that is one token in the vocabulary would never match.
    start, end = (_tag(tag, is_token) for tag in (form.start, form.end))
    if form.separator:
        return _plain_call_grammar(tools, is_token, form)
    schemas = [_call_schema(tool) for tool in tools]
    if not form.end:
        calls = {"type": "array", "items": {"anyOf": schemas}, "minItems": 1}
        return f"start: {start} calls\ncalls: %json {_json(calls)}\n"
    names = [f"tool{n}" for n in range(len(tools))]
    rules = [f"{name}: %json {_json(schema)}" for name, schema in zip(names, schemas, strict=True)]
    return "\n".join(
        [
            'start: call ("\\n" call)*',
            f'call: {start} "\\n" body "\\n" {end}',
            f"body: {' | '.join(names)}",
            *rules,
            "",
        ]
    )


def _plain_call_grammar(
    tools: list[dict[str, Any]], is_token: Callable[[str], bool], form: ToolForm
) -> str:
    first, start, end, last = (
        _tag(tag, is_token) for tag in (form.around[0], form.start, form.end, form.around[1])
    )
    lines = [f'start: {first} call ("\\n" call)* {last}']
    lines.append("call: " + " | ".join(f"tool{n}" for n in range(len(tools))))
    separator, close = _tag(form.separator, is_token), json.dumps(form.fence[1])
    for n, tool in enumerate(tools):
        function = tool["function"]
        lead, _, rest = form.before_arguments(function["name"]).partition(form.separator)
        parts = [start, json.dumps(lead), separator, json.dumps(rest), f"args{n}", close, end]
        lines.append(f"tool{n}: {' '.join(part for part in parts if part != EMPTY)}")
        lines.append(f"args{n}: %json {_json(function.get('parameters') or {'type': 'object'})}")
    return "\n".join([*lines, ""])


def _tag(text: str, is_token: Callable[[str], bool]) -> str:
    return text if is_token(text) else json.dumps(text)


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema | {"x-guidance": JSON_LAYOUT})


def _call_schema(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool["function"]
    properties = {
        "name": {"const": function["name"]},
        "arguments": function.get("parameters") or {"type": "object"},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }
