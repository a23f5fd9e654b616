"""What a linear classifier sees of a sentence: hashed groups of words and word beginnings of itself, its neighbours and its heading.

Every feature is a number below `2 ** BITS`, from a checksum of its words, so nothing has to be looked up and the
same text gives the same features on every machine.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

BITS = 21
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?|\d+(?:[.,]\d+)*|[$%§“”\"]")
_HEADING_LENGTH = 70
# How much the neighbours weigh beside the sentence itself, whose own features have length one.
_WEIGHTS = {
    "": 1.0, "p": 0.45, "n": 0.3, "h": 0.55, "o": 0.5, "s": 0.6, "pp": 0.25, "nn": 0.2, "f": 0.3
}  # fmt: skip
# `terminate`, `terminates` and `termination` begin alike: few examples of a type go further.
_BEGINNING = 5
_LENGTHS = (20, 60, 120, 200, 350, 600, 1000)


class Row:
    """The features of one sentence: places and, for each, the weight of its group."""

    __slots__ = ("groups", "places")

    def __init__(self, places: NDArray[np.int32], groups: NDArray[np.float32]) -> None:
        self.places = places
        self.groups = groups


def rows(sentences: Sequence[str]) -> Iterator[Row]:
    """The features of each sentence of one document, in order."""
    words = [words_of(sentence) for sentence in sentences]
    begun = [[word[:_BEGINNING] for word in found] for found in words]
    heading: list[str] = []
    for place, sentence in enumerate(sentences):
        before = words[place - 1] if place else []
        after = words[place + 1] if place + 1 < len(words) else []
        parts: list[tuple[str, Iterable[str]]] = [
            ("", grams(words[place], 3)),
            ("p", grams(before[-40:], 2)),
            ("n", grams(after[:25], 2)),
            ("h", grams(heading, 2)),
            ("o", _outline(place, len(sentences), sentence)),
            ("s", grams(begun[place], 2)),
            (
                "pp",
                (
                    word
                    for near in begun[max(place - 3, 0) : max(place - 1, 0)]
                    for word in near[-30:]
                ),
            ),
            ("nn", (word for near in begun[place + 2 : place + 4] for word in near[:30])),
            ("f", (" ".join(words[place][:size]) for size in range(1, 5))),
        ]
        yield _row(parts)
        if len(sentence) <= _HEADING_LENGTH:
            heading = (heading + words[place])[-14:] if _is_near(heading) else words[place][-14:]
        elif len(sentence) > 4 * _HEADING_LENGTH:
            heading = heading[-14:]


def words_of(sentence: str) -> list[str]:
    """Words in small letters; numbers keep only how many digits they have."""
    return [
        f"0{len(word)}" if word[0].isdigit() else word.replace("’", "'")
        for word in _WORD.findall(sentence.lower())
    ]


def grams(words: Sequence[str], longest: int) -> Iterator[str]:
    """Every run of one to `longest` words, and pairs with one word between them."""
    for size in range(1, longest + 1):
        for start in range(len(words) - size + 1):
            yield " ".join(words[start : start + size])
    if longest > 2:
        for start in range(len(words) - 2):
            yield f"{words[start]} _ {words[start + 2]}"


def _is_near(heading: Sequence[str]) -> bool:
    return 0 < len(heading) < 6


def _outline(place: int, total: int, sentence: str) -> Iterator[str]:
    yield f"place {min(place, 12)}"
    yield f"from end {min(total - place, 8)}"
    yield f"tenth {10 * place // max(total, 1)}"
    yield f"length {sum(len(sentence) > step for step in _LENGTHS)}"
    letters = [char for char in sentence if char.isalpha()]
    if letters and sum(char.isupper() for char in letters) > 0.7 * len(letters):
        yield "capitals"
    if '("' in sentence or "(“" in sentence:
        yield "defines"


def _row(parts: Sequence[tuple[str, Iterable[str]]]) -> Row:
    places: list[NDArray[np.int32]] = []
    weights: list[NDArray[np.float32]] = []
    mask = (1 << BITS) - 1
    for prefix, features in parts:
        hashed = {crc32(f"{prefix}|{feature}".encode()) & mask for feature in features}
        if hashed:
            places.append(np.fromiter(hashed, np.int32, len(hashed)))
            weights.append(
                np.full(len(hashed), _WEIGHTS[prefix] / np.sqrt(len(hashed)), np.float32)
            )
    if not places:
        return Row(np.empty(0, np.int32), np.empty(0, np.float32))
    return Row(np.concatenate(places), np.concatenate(weights))
