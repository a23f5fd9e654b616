"""How a sentence stands in its contract: its scores beside those of its neighbours and of the whole, judged by small trees."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_FAR = -2.0
_SHIFTS = (-2, -1, 1, 2)
OWN = 7 + len(_SHIFTS)


class Standing:
    """What the trees look at, for one contract: a row for each sentence, then its scores for all types."""

    def __init__(self, scores: NDArray[np.float32], lengths: Sequence[int]) -> None:
        self._scores = scores
        count = len(scores)
        self._shared = np.stack(
            [np.arange(count) / max(count, 1), np.log1p(lengths), np.full(count, np.log1p(count))], 1
        ).astype(np.float32)  # fmt: skip
        self._ordered = -np.sort(-scores, 0)

    def of_type(self, column: int) -> NDArray[np.float32]:
        own = self._scores[:, column]
        ordered = self._ordered[:, column]
        second = ordered[1] if len(ordered) > 1 else _FAR
        rank = np.searchsorted(-ordered, -own)
        alone = np.stack([own, ordered[:1] - own, np.full_like(own, second), rank], 1)
        near = np.stack([_shifted(own, by) for by in _SHIFTS], 1)
        looked: NDArray[np.float32] = np.hstack([alone, self._shared, near, self._scores]).astype(
            np.float32
        )
        return looked


def _shifted(own: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    """The scores of the sentence `by` places further on."""
    moved = np.full_like(own, _FAR)
    if by < 0:
        moved[-by:] = own[:by]
    else:
        moved[:-by] = own[by:]
    return moved


class Trees:
    """For each type a row of small trees, whose leaves are added up; nodes are stored side by side."""

    def __init__(self, data: Mapping[str, NDArray[np.generic]]) -> None:
        self._feature = np.asarray(data["tree_feature"], np.int64)
        self._step = np.asarray(data["tree_step"], np.float32)
        self._left = np.asarray(data["tree_left"], np.int64)
        self._right = np.asarray(data["tree_right"], np.int64)
        self._value = np.asarray(data["tree_value"], np.float32)
        self._depth = int(data["tree_depth"])

    def added(self, column: int, looked: NDArray[np.float32]) -> NDArray[np.float32]:
        """A leaf points at itself, so that every row takes the same number of steps."""
        feature, step = self._feature[column], self._step[column]
        tree = np.arange(len(feature))[None, :]
        rows = np.arange(len(looked))[:, None]
        node = np.zeros((len(looked), len(feature)), np.int64)
        for _ in range(self._depth):
            goes_left = looked[rows, feature[tree, node]] <= step[tree, node]
            node = np.where(goes_left, self._left[column][tree, node], self._right[column][tree, node])  # fmt: skip
        summed: NDArray[np.float32] = self._value[column][tree, node].sum(1)
        return summed
