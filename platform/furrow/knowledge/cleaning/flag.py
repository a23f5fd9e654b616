"""A part of a document that is in doubt, and why."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from furrow.knowledge.text.folding import fold

FlagCode = Literal[
    "running",
    "boilerplate",
    "garble",
    "ocr_noise",
    "repeated_header",
    "truncated_table",
    "odd_value",
    "near_duplicate",
    "contradiction",
    "placeholder",
    "stale",
    "cut_off",
]

# What is left out unless the owner keeps it: nobody asks for it, and it crowds out what they ask for.
LEFT_OUT: frozenset[str] = frozenset({"running", "boilerplate", "garble", "repeated_header"})


@dataclass(frozen=True, slots=True)
class Flag:
    """By code point offsets. `score` is how sure the finding is, from 0 to 1; `detail` is what it was found by."""

    start: int
    end: int
    code: FlagCode
    reason: str
    score: float = 1.0
    detail: str = ""


def words_hash(kind: str, words: str) -> str:
    """The same for the same words, however they are spaced, and apart for each kind."""
    return hashlib.sha256(f"{kind}\0{''.join(fold(words).split())}".encode()).hexdigest()
