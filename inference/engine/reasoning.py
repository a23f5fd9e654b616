"""Thoughts split off an answer while it streams: between <think> and </think>, or in the channels
of gpt-oss's harmony format."""

import json
import re
from enum import StrEnum
from typing import Protocol

from inference.engine.stops import held_tail

OPEN, CLOSE = "<think>", "</think>"
HARMONY_CHANNEL, HARMONY_TEXT, HARMONY_START = "<|channel|>", "<|message|>", "<|start|>assistant"
HARMONY_ENDS = ("<|end|>", "<|call|>", "<|return|>")
HARMONY_TAGS = {HARMONY_CHANNEL, HARMONY_TEXT, "<|start|>", "<|constrain|>", *HARMONY_ENDS}
HARMONY_END = re.compile("|".join(map(re.escape, HARMONY_ENDS)))
HARMONY_FUNCTION = re.compile(r"to=functions\.([\w.-]+)")


class Reasoning(StrEnum):
    """How an answer begins: never with thoughts, perhaps, inside them because the chat template
    has already opened the tag, or with the header of a harmony message."""

    OFF = "off"
    AUTO = "auto"
    OPENED = "opened"
    HARMONY = "harmony"


class Splitter(Protocol):
    """Feed text as it comes; tags may be cut anywhere between tokens."""

    is_thinking: bool

    @property
    def is_undecided(self) -> bool:
        """Whether what came so far may be the start of thoughts."""
        ...

    def feed(self, text: str) -> tuple[str, str]:
        """(thoughts, answer) that are certain by now."""
        ...

    def flush(self) -> tuple[str, str]:
        """What was held back, once no more text comes."""
        ...


def splitter_for(mode: Reasoning) -> Splitter | None:
    if mode is Reasoning.OFF:
        return None
    return HarmonySplitter() if mode is Reasoning.HARMONY else ThinkSplitter(mode)


class ThinkSplitter:
    """The tag opens thoughts only at the very start of an answer, so that an answer may speak
    of the tag itself."""

    def __init__(self, mode: Reasoning) -> None:
        self._is_start = mode is Reasoning.AUTO
        self.is_thinking = mode is Reasoning.OPENED
        self._held = ""
        self._after_tag = False

    @property
    def is_undecided(self) -> bool:
        return self._is_start

    def feed(self, text: str) -> tuple[str, str]:
        self._held += text
        if self._is_start:
            self._look_for_opening()
        if self._is_start:
            return "", ""
        if self.is_thinking:
            return self._split_thoughts()
        shown, self._held = self._trimmed(self._held), ""
        return "", shown

    def flush(self) -> tuple[str, str]:
        held, self._held = self._held, ""
        was_thinking, self._is_start = self.is_thinking, False
        return (self._trimmed(held), "") if was_thinking else ("", self._trimmed(held))

    def _look_for_opening(self) -> None:
        start = self._held.lstrip()
        if start.startswith(OPEN):
            self._held = start.removeprefix(OPEN)
            self._is_start, self.is_thinking, self._after_tag = False, True, True
        elif not OPEN.startswith(start):
            self._is_start = False

    def _split_thoughts(self) -> tuple[str, str]:
        at = self._held.find(CLOSE)
        if at < 0:
            keep = len(self._held) - held_tail(self._held, (CLOSE,))
            thoughts, self._held = self._held[:keep], self._held[keep:]
            return self._trimmed(thoughts), ""
        thoughts = self._trimmed(self._held[:at])
        rest = self._held[at + len(CLOSE) :]
        self.is_thinking, self._after_tag, self._held = False, True, ""
        return thoughts, self._trimmed(rest)

    def _trimmed(self, text: str) -> str:
        """Without the line breaks that follow a tag."""
        if self._after_tag:
            text = text.lstrip("\n")
            self._after_tag = not text
        return text


class HarmonySplitter:
    """Messages of `<|channel|>NAME<|message|>TEXT<|end|>`: analysis is thought, a message to a
    function becomes a call in the Hermes form, everything else is the answer.

    Headers count as thinking: a grammar must not begin before the answer's text.
    """

    is_undecided = False

    def __init__(self) -> None:
        self.is_thinking = True
        self._held = ""
        self._in_header = True
        self._closing = ""

    def feed(self, text: str) -> tuple[str, str]:
        self._held += text
        thoughts, answer = "", ""
        while True:
            if self._in_header:
                header, tag, rest = self._held.partition(HARMONY_TEXT)
                if not tag:
                    return thoughts, answer
                self._held = rest
                answer += self._begin(header)
            body, is_over = self._body()
            if self.is_thinking:
                thoughts += body
            else:
                answer += body
            if not is_over:
                return thoughts, answer
            answer += self._closing
            self._in_header, self.is_thinking, self._closing = True, True, ""

    def flush(self) -> tuple[str, str]:
        held, self._held = ("" if self._in_header else self._held), ""
        closing, self._closing = self._closing, ""
        return (held, "") if self.is_thinking else ("", held + closing)

    def _begin(self, header: str) -> str:
        """What stands in the answer for a message's header."""
        self._in_header, function = False, HARMONY_FUNCTION.search(header)
        self.is_thinking = function is None and "analysis" in header
        if function is None:
            return ""
        self._closing = "}\n</tool_call>"
        return f'<tool_call>\n{{"name": {json.dumps(function[1])}, "arguments": '

    def _body(self) -> tuple[str, bool]:
        """The text that is certain, and whether the message ended with it."""
        found = HARMONY_END.search(self._held)
        if found is None:
            keep = len(self._held) - held_tail(self._held, HARMONY_ENDS)
            body, self._held = self._held[:keep], self._held[keep:]
            return body, False
        body, self._held = self._held[: found.start()], self._held[found.end() :]
        return body, True
