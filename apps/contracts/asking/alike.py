"""Contracts that read nearly the same: a template filled in twice, a draft and its signed copy."""

import re
from collections.abc import Mapping
from itertools import combinations
from uuid import UUID

# So much of the shorter one's paragraphs that stand in the other as well.
SHARE = 0.6
_DIGITS = re.compile(r"[\d\s零〇一二三四五六七八九十百千万壹贰叁肆伍陆柒捌玖拾佰仟,，.]+")


def prints_of(text: str) -> frozenset[str]:
    """A contract's paragraphs without numbers and spaces: two fillings of one template share most of them."""
    lines = (_DIGITS.sub("", line) for line in text.split("\n"))
    return frozenset(line for line in lines if len(line) >= 8)


def alike_among(prints: Mapping[UUID, frozenset[str]]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {key: [] for key in prints}
    for one, other in combinations(prints, 2):
        smaller = min(len(prints[one]), len(prints[other]))
        if smaller and len(prints[one] & prints[other]) >= SHARE * smaller:
            found[one].append(other)
            found[other].append(one)
    return found
