"""Which characters are written without spaces between words, and so need characters and pairs."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

# Han, kana (without the middle dot), Hangul, South-East Asian scripts; ends are inclusive.
UNSPACED_RANGES = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x2FDF),
    (0x3005, 0x3007),
    (0x3041, 0x30FA),
    (0x30FC, 0x30FF),
    (0x3105, 0x312F),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)
# The middle of a regular expression's character class.
UNSPACED_CLASS = "".join(f"{chr(low)}-{chr(high)}" for low, high in UNSPACED_RANGES)


@cache
def unspaced_table() -> NDArray[np.bool_]:
    """True at each code point of an unspaced script; for whole texts at once."""
    table = np.zeros(0x110000, dtype=np.bool_)
    for low, high in UNSPACED_RANGES:
        table[low : high + 1] = True
    return table
