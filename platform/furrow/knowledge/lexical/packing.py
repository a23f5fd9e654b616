"""Posting lists as bytes.

A list is one tag byte and then, little endian, either the chunk ordinals (uint16, or uint32 in a
large segment) followed by their counts (uint8, left out when all are 1), or, for a term that many
chunks hold, one count for every chunk of the segment.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MAX_COUNT = 255
_NARROW, _WIDE, _DENSE = b"\0", b"\1", b"\2"
_NARROW_COUNTED, _WIDE_COUNTED = b"\4", b"\5"
_NARROW_LIMIT = 1 << 16
# A dense list costs one byte a chunk, a counted one three a posting.
_DENSE_SHARE = 3


class Postings(NamedTuple):
    """`ordinals` None: `counts` holds every chunk. `counts` None: every count is 1."""

    ordinals: NDArray[np.integer] | None
    counts: NDArray[np.uint8] | None


def pack(ordinals: NDArray[np.integer], counts: NDArray[np.integer], chunk_count: int) -> bytes:
    """Bytes of one list; `ordinals` ascend, counts above 255 are cut to it."""
    if len(ordinals) * _DENSE_SHARE > chunk_count and len(ordinals) > 1:
        dense = np.zeros(chunk_count, dtype=np.uint8)
        dense[ordinals] = np.minimum(counts, MAX_COUNT)
        return _DENSE + bytes(dense)
    narrow = chunk_count <= _NARROW_LIMIT
    places = bytes(ordinals.astype("<u2" if narrow else "<u4"))
    if counts.max() == 1:
        return (_NARROW if narrow else _WIDE) + places
    small = bytes(np.minimum(counts, MAX_COUNT).astype(np.uint8))
    return (_NARROW_COUNTED if narrow else _WIDE_COUNTED) + places + small


def unpack(packed: bytes) -> Postings:
    """Views into the bytes, nothing is copied."""
    tag = packed[:1]
    if tag == _DENSE:
        return Postings(None, np.frombuffer(packed, np.uint8, offset=1))
    dtype = np.dtype("<u2" if tag in (_NARROW, _NARROW_COUNTED) else "<u4")
    if tag in (_NARROW, _WIDE):
        return Postings(np.frombuffer(packed, dtype, offset=1), None)
    size = (len(packed) - 1) // (dtype.itemsize + 1)
    ordinals = np.frombuffer(packed, dtype, size, offset=1)
    return Postings(ordinals, np.frombuffer(packed, np.uint8, offset=1 + size * dtype.itemsize))


def sparse(packed: bytes) -> tuple[NDArray[np.integer], NDArray[np.uint8]]:
    """Ordinals and counts, whatever the form."""
    ordinals, counts = unpack(packed)
    if ordinals is None:
        held = counts if counts is not None else np.empty(0, np.uint8)
        places = np.flatnonzero(held)
        return places, held[places]
    return ordinals, np.ones(len(ordinals), np.uint8) if counts is None else counts


def document_frequency(packed: bytes) -> int:
    """In how many chunks the term stands, dead ones included."""
    ordinals, counts = unpack(packed)
    if ordinals is not None:
        return len(ordinals)
    return 0 if counts is None else int(np.count_nonzero(counts))


def held_by(packed: bytes, chosen: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which of the chosen chunks hold the term."""
    ordinals, counts = unpack(packed)
    if ordinals is None:
        return np.zeros(len(chosen), np.bool_) if counts is None else counts[chosen] > 0
    # Cast first: numpy would otherwise convert the whole list to the wider type.
    wanted = chosen.astype(ordinals.dtype)
    at = np.minimum(np.searchsorted(ordinals, wanted), len(ordinals) - 1)
    return np.asarray(ordinals[at] == wanted)


def alive_mask(dead: bytes | None, chunk_count: int) -> NDArray[np.bool_] | None:
    """From the stored bitmap; None when every chunk is alive."""
    if not dead:
        return None
    bits = np.unpackbits(np.frombuffer(dead, np.uint8), count=chunk_count, bitorder="little")
    alive: NDArray[np.bool_] = bits == 0
    return alive


def mark_dead(dead: bytes | None, chunk_count: int, ordinals: Sequence[int]) -> bytes:
    """The bitmap with these chunks marked too."""
    alive = alive_mask(dead, chunk_count)
    bits = np.zeros(chunk_count, np.bool_) if alive is None else ~alive
    bits[list(ordinals)] = True
    return np.packbits(bits, bitorder="little").tobytes()
