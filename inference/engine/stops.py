"""Stop strings found while text streams, with nothing of them shown."""

from collections.abc import Sequence


def held_tail(text: str, marks: Sequence[str]) -> int:
    """Length of the longest end of the text that may be the start of a mark."""
    longest = max((len(mark) for mark in marks), default=0)
    for length in range(min(longest - 1, len(text)), 0, -1):
        tail = text[-length:]
        if any(mark.startswith(tail) for mark in marks):
            return length
    return 0


class StopMatcher:
    """Feed text as it comes; what may be the start of a stop string is held back."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """The text that is safe to show, and whether a stop string was met."""
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            shown, self._held = self._held[: min(found)], ""
            return shown, True
        keep = len(self._held) - held_tail(self._held, self._stops)
        shown, self._held = self._held[:keep], self._held[keep:]
        return shown, False

    def flush(self) -> str:
        """What was held back, once no more text comes."""
        shown, self._held = self._held, ""
        return shown
