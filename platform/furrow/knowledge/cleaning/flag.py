"""A part of a document that is in doubt, and why."""

from dataclasses import dataclass
from typing import Literal

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
