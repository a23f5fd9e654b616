"""The part of an answer between <think> and </think>, split off while it streams."""

from enum import StrEnum

from inference.engine.stops import held_tail

OPEN, CLOSE = "<think>", "</think>"


class Reasoning(StrEnum):
    """How an answer begins: never with thoughts, perhaps, or inside them because the chat
    template has already opened the tag."""

    OFF = "off"
    AUTO = "auto"
    OPENED = "opened"


class ThinkSplitter:
    """Feed text as it comes; tags may be cut anywhere between tokens.

    The tag opens thoughts only at the very start of an answer, so that an answer may speak
    of the tag itself.
    """

    def __init__(self, mode: Reasoning) -> None:
        self._mode = mode
        self._is_start = mode is Reasoning.AUTO
        self.is_thinking = mode is Reasoning.OPENED
        self._held = ""
        self._after_tag = False

    @property
    def is_undecided(self) -> bool:
        """Whether what came so far may be the start of thoughts."""
        return self._is_start

    def feed(self, text: str) -> tuple[str, str]:
        """(thoughts, answer) that are certain by now."""
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
        """What was held back, once no more text comes."""
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
