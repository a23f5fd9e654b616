"""Scores of a contract's sentences for the clause types: small classifiers in two steps, by numpy alone."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from apps.contracts.clauses import features
from apps.contracts.clauses.standing import Standing, Trees

FILE = Path(__file__).parent / "files" / "clauses.npz"
_COUNTED = 6


class ClauseModel:
    """`places` are the features that were kept, sorted; `weights` has a row for each of them."""

    def __init__(self, file: Path = FILE) -> None:
        with np.load(file, allow_pickle=False) as data:
            self.types: tuple[str, ...] = tuple(str(name) for name in data["types"])
            self._places: NDArray[np.int32] = data["places"]
            self._rarity = data["rarity"].astype(np.float32)
            self._weights: NDArray[np.int8] = data["weights"]
            self._steps: NDArray[np.float32] = data["steps"]
            self._bias: NDArray[np.float32] = data["bias"]
            self._trees = Trees(data)
            # Log odds are own * words + joint * trees + offset; yes begins at `yes`.
            self._words: NDArray[np.float32] = data["odds_words"]
            self._joint: NDArray[np.float32] = data["odds_trees"]
            self._offset: NDArray[np.float32] = data["odds_offset"]
            self._yes: NDArray[np.float32] = data["odds_yes"]

    def scores(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """A row for each sentence of one contract, a column for each type; above 0 means yes."""
        found: NDArray[np.float32] = self.log_odds(sentences) - self._yes
        return found

    def log_odds(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """The same scale for every type, so that sentences of different types can be put in one order."""
        if not sentences:
            return np.empty((0, len(self.types)), np.float32)
        words = self.words(sentences)
        standing = Standing(words, [len(sentence) for sentence in sentences])
        odds = words * self._words + self._offset
        for column in range(len(self.types)):
            odds[:, column] += self._joint[column] * self._trees.added(column, standing.of_type(column))  # fmt: skip
        return odds

    def words(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """The first step alone: each sentence by its words and those around it."""
        found = np.empty((len(sentences), len(self.types)), np.float32)
        for number, row in enumerate(features.rows(sentences)):
            found[number] = self._score(row)
        return found

    def _score(self, row: features.Row) -> NDArray[np.float32]:
        at = np.searchsorted(self._places, row.places)
        at[at == len(self._places)] = 0
        is_known = self._places[at] == row.places
        at, values = at[is_known], row.groups[is_known]
        values = values * self._rarity[at]
        length = float(np.sqrt(np.square(values).sum())) or 1.0
        summed = (values / length) @ self._weights[at].astype(np.float32)
        scored: NDArray[np.float32] = summed * self._steps + self._bias
        return scored


def presence(log_odds: NDArray[np.float32]) -> NDArray[np.float64]:
    """How likely the contract has each type at all: that not every one of its best sentences is a mistake."""
    best = -np.sort(-log_odds.astype(np.float64), 0)[:_COUNTED]
    likely: NDArray[np.float64] = -np.expm1(-np.logaddexp(0, best).sum(0))
    return likely


@lru_cache(maxsize=1)
def clause_model() -> ClauseModel:
    """The trained file that is shipped."""
    return ClauseModel()
