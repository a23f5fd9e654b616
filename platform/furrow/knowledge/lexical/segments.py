"""Building and merging index segments.

Characters and pairs are counted for all chunks of a segment at once, as sorted integers in numpy; a
dictionary per chunk would take ten times as long.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from furrow.knowledge.lexical.packing import alive_mask, pack, sparse
from furrow.knowledge.text.analysis import word_terms
from furrow.knowledge.text.folding import fold
from furrow.knowledge.text.scripts import unspaced_table

HEADER_WEIGHT = 1
# A sort key is character, character, ordinal. Unicode has fewer than 2**17 unspaced characters.
_CHARACTER_BITS = 17
_ORDINAL_BITS = 30
_ORDINAL_MASK = (1 << _ORDINAL_BITS) - 1

Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class SegmentData:
    """Everything a segment stores; `chunk_ids` is 16 bytes a chunk, `lengths` counts terms."""

    chunk_ids: bytes
    lengths: NDArray[np.uint32]
    postings: dict[str, bytes]

    @property
    def chunk_count(self) -> int:
        return len(self.lengths)

    @property
    def total_length(self) -> int:
        return int(self.lengths.sum(dtype=np.uint64))


def build_segment(
    docs: Iterable[tuple[UUID, str, str]], header_weight: int = HEADER_WEIGHT
) -> SegmentData:
    """A segment of (chunk id, header, text); the header counts as if it stood in the text so often.

    Takes up to 60 bytes of memory per character while it works: feed at most some ten million.
    """
    ids: list[bytes] = []
    folded: list[str] = []
    for chunk_id, header, text in docs:
        ids.append(chunk_id.bytes)
        folded.append(fold("\n".join([text, *[header] * header_weight])))
    if len(ids) > _ORDINAL_MASK:
        raise ValueError("too many chunks for one segment")
    characters, gram_keys = _gram_keys(folded)
    words, word_keys = _word_keys(folded)
    lengths = np.zeros(len(ids), np.uint32)
    postings: dict[str, bytes] = {}
    for code, ordinals, counts in _groups(gram_keys, lengths):
        first, second = code >> _CHARACTER_BITS, code & ((1 << _CHARACTER_BITS) - 1)
        postings[characters[first] + characters[second]] = pack(ordinals, counts, len(ids))
    for code, ordinals, counts in _groups(word_keys, lengths):
        postings[words[code]] = pack(ordinals, counts, len(ids))
    return SegmentData(b"".join(ids), lengths, postings)


def merge_segments(segments: Sequence[SegmentData], dead: Sequence[bytes | None]) -> SegmentData:
    """One segment of all, in order, without the chunks that the bitmaps mark dead."""
    keeps = [_kept(segment, bitmap) for segment, bitmap in zip(segments, dead, strict=True)]
    lengths = np.concatenate(
        [segment.lengths[keep] for segment, keep in zip(segments, keeps, strict=True)]
    )
    moved: dict[str, list[tuple[NDArray[np.integer], NDArray[np.uint8]]]] = defaultdict(list)
    base = 0
    for segment, keep in zip(segments, keeps, strict=True):
        places = np.cumsum(keep, dtype=np.int64) - 1 + base
        for term, packed in segment.postings.items():
            ordinals, counts = sparse(packed)
            stays = keep[ordinals]
            moved[term].append((places[ordinals[stays]], counts[stays]))
        base += int(keep.sum())
    postings = {}
    for term, parts in moved.items():
        ordinals = np.concatenate([part[0] for part in parts])
        if len(ordinals):
            counts = np.concatenate([part[1] for part in parts])
            postings[term] = pack(ordinals, counts, len(lengths))
    ids = b"".join(_kept_ids(s, keep) for s, keep in zip(segments, keeps, strict=True))
    return SegmentData(ids, lengths, postings)


def _kept(segment: SegmentData, dead: bytes | None) -> NDArray[np.bool_]:
    alive = alive_mask(dead, segment.chunk_count)
    return np.ones(segment.chunk_count, np.bool_) if alive is None else alive


def _kept_ids(segment: SegmentData, keep: NDArray[np.bool_]) -> bytes:
    return np.frombuffer(segment.chunk_ids, np.uint8).reshape(-1, 16)[keep].tobytes()


def _gram_keys(folded: Sequence[str]) -> tuple[list[str], Keys]:
    """Characters by number (0 is none), and sorted keys of all characters and pairs."""
    joined = "\n".join(folded)
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32)
    sizes = np.fromiter((len(text) + 1 for text in folded), np.int64, len(folded))
    inside = unspaced_table()[codes]
    where = np.flatnonzero(inside)
    table = np.zeros(0x110000, np.uint32)
    table[codes[where]] = 1
    known = np.flatnonzero(table)
    table[known] = np.arange(1, len(known) + 1)
    ordinals = np.searchsorted(np.cumsum(sizes), where, side="right").astype(np.uint64)
    numbers = table[codes[where]].astype(np.uint64)
    singles = (numbers << np.uint64(_CHARACTER_BITS + _ORDINAL_BITS)) | ordinals
    # A pair is two neighbours of one run; the line break between chunks ends every run.
    pairs = np.flatnonzero(np.diff(where) == 1)
    doubles = singles[pairs] | (numbers[pairs + 1] << np.uint64(_ORDINAL_BITS))
    keys = np.concatenate([singles, doubles])
    keys.sort()
    return ["", *map(chr, known.tolist())], keys


def _word_keys(folded: Sequence[str]) -> tuple[list[str], Keys]:
    numbers: dict[str, int] = {}
    coded: list[int] = []
    sizes: list[int] = []
    for text in folded:
        terms = word_terms(text)
        sizes.append(len(terms))
        coded.extend(numbers.setdefault(term, len(numbers)) for term in terms)
    ordinals = np.repeat(np.arange(len(folded), dtype=np.uint64), sizes)
    keys = (np.array(coded, np.uint64) << np.uint64(_ORDINAL_BITS)) | ordinals
    keys.sort()
    return list(numbers), keys


def _groups(
    keys: Keys, lengths: NDArray[np.uint32]
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """Term code, ordinals and counts of each term; adds every occurrence to `lengths`."""
    if not len(keys):
        return
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    counts = np.diff(starts, append=len(keys))
    unique = keys[starts]
    ordinals = (unique & np.uint64(_ORDINAL_MASK)).astype(np.int64)
    terms = (unique >> np.uint64(_ORDINAL_BITS)).astype(np.int64)
    lengths += np.bincount(ordinals, counts, len(lengths)).astype(np.uint32)
    edges = np.flatnonzero(np.concatenate([[True], terms[1:] != terms[:-1]])).tolist()
    for low, high in zip(edges, [*edges[1:], len(terms)], strict=True):
        yield int(terms[low]), ordinals[low:high], counts[low:high]
