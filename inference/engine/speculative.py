"""Guesses of the next tokens from the text itself: what followed the same words before.

A guess costs one more row in the step and is kept only where sampling gives the same token,
so the answer cannot change.
"""

from collections.abc import Sequence

NGRAM = 3
# After this many rejected guesses in a row a sequence guesses again only now and then.
PATIENCE = 4
PAUSE = 16


class NgramIndex:
    """Where each run of NGRAM tokens last ended, kept up token by token."""

    def __init__(self) -> None:
        self._ends: dict[tuple[int, ...], int] = {}
        self._seen = 0
        self._misses = 0
        self._pause = 0

    def guess(self, ids: Sequence[int], most: int) -> list[int]:
        """Up to `most` tokens that followed the last NGRAM ids when they stood here before."""
        if self._pause:
            self._pause -= 1
            return []
        size = len(ids)
        for end in range(max(self._seen, NGRAM), size):
            self._ends[tuple(ids[end - NGRAM : end])] = end
        self._seen = size
        at = self._ends.get(tuple(ids[size - NGRAM :])) if size > NGRAM else None
        return list(ids[at : at + most]) if at is not None else []

    def learn(self, guessed: int, accepted: int) -> None:
        """Guess less often where guesses fail."""
        if not guessed:
            return
        self._misses = 0 if accepted else self._misses + 1
        if self._misses >= PATIENCE:
            self._pause = PAUSE


def accepted_count(guesses: Sequence[int], sampled: Sequence[int]) -> int:
    """How many guesses equal what sampling gave at their places."""
    for n, guess in enumerate(guesses):
        if sampled[n] != guess:
            return n
    return len(guesses)
