"""Scores of a contract's sentences for the clause types: small linear classifiers, by numpy alone."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from apps.contracts.clauses import features

FILE = Path(__file__).parent / "files" / "clauses.npz"


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

    def scores(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """A row for each sentence of one contract, a column for each type; above 0 means yes."""
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


@lru_cache(maxsize=1)
def clause_model() -> ClauseModel:
    """The trained file that is shipped."""
    return ClauseModel()
