"""Token ids to text as they come, holding back characters that are not yet whole."""

from collections.abc import Callable, Sequence

Decode = Callable[[Sequence[int]], str]
# A character is at most four bytes, so at most this many byte tokens can be incomplete.
MAX_PIECES = 4
REPLACEMENT = "\ufffd"


class Detokenizer:
    """`decode` turns ids into text; what it says of a window tells a token's own text, because
    tokenizers write a token differently at the start of a text."""

    def __init__(self, decode: Decode, context: Sequence[int] = ()) -> None:
        self._decode = decode
        # The last shown ids stand before the new ones.
        self._shown = list(context[-MAX_PIECES:])
        self._shown_text = decode(self._shown) if self._shown else ""
        self._held: list[int] = []

    def feed(self, token: int) -> str:
        """The text that became certain with this token."""
        self._held.append(token)
        text = self._decode(self._shown + self._held)
        if not text.endswith(REPLACEMENT):
            return self._accept(text, len(self._held))
        if len(self._held) < MAX_PIECES:
            return ""
        # The first cannot be a character any more; those behind it may still become one.
        return self._accept(self._decode([*self._shown, self._held[0]]), 1)

    def flush(self) -> str:
        """The text of what was held back, once no more tokens come."""
        count = len(self._held)
        return self._accept(self._decode(self._shown + self._held), count) if count else ""

    def _accept(self, text: str, count: int) -> str:
        new = text[len(self._shown_text) :]
        self._shown, self._held = self._held[:count], self._held[count:]
        self._shown_text = self._decode(self._shown)
        return new
