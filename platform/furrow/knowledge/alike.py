"""Whether two texts say the same: a few letters apart, but in no number and no negation."""

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from furrow.knowledge.text.folding import fold

_SAME = 95.0
_LEAST_LENGTH = 12
TELLING = re.compile(
    r"\d+(?:\.\d+)?|[零一二三四五六七八九十百千万两半]|[不无未非勿禁]|\b(?:not?|never|without|except)\b|n't\b",
    re.IGNORECASE,
)


def is_alike(one: str, other: str) -> bool:
    """Both as they come from `plain`."""
    if one == other:
        return True
    if abs(len(one) - len(other)) > 0.06 * max(len(one), len(other)):
        return False
    is_near = fuzz.ratio(one, other, score_cutoff=_SAME) > 0
    return is_near and TELLING.findall(one) == TELLING.findall(other)


def plain(text: str) -> str:
    return " ".join(fold(text).split())


def twin_of(text: str, others: Sequence[str]) -> int | None:
    """The place of the first of the others that says the same."""
    own = plain(text)
    if len(own) < _LEAST_LENGTH:
        return None
    return next((place for place, other in enumerate(others) if is_alike(own, plain(other))), None)
