import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from furrow.knowledge.lexical.packing import (
    alive_mask,
    document_frequency,
    held_by,
    mark_dead,
    pack,
    sparse,
)


@given(
    counts=st.dictionaries(st.integers(0, 999), st.integers(1, 400), min_size=1, max_size=999),
    chunk_count=st.sampled_from([1000, 5000, 70_000]),
)
def test_a_list_survives_packing(counts: dict[int, int], chunk_count: int) -> None:
    ordinals = np.array(sorted(counts))
    packed = pack(ordinals, np.array([counts[at] for at in ordinals]), chunk_count)
    places, numbers = sparse(packed)
    assert places.tolist() == ordinals.tolist()
    assert numbers.tolist() == [min(counts[at], 255) for at in ordinals]
    assert document_frequency(packed) == len(counts)
    chosen = np.array([0, 500, 999])
    assert held_by(packed, chosen).tolist() == [at in counts for at in (0, 500, 999)]


def test_a_rare_term_costs_three_bytes_and_a_common_one_a_byte_a_chunk() -> None:
    one = np.array([7])
    assert len(pack(one, np.array([1]), 60_000)) == 3
    many = np.arange(0, 60_000, 2)
    assert len(pack(many, np.full(30_000, 3), 60_000)) == 60_001


def test_large_segments_keep_high_ordinals() -> None:
    places, _ = sparse(pack(np.array([3, 69_999]), np.array([1, 2]), 70_000))
    assert places.tolist() == [3, 69_999]


def test_marking_dead_adds_to_what_was_dead() -> None:
    dead = mark_dead(mark_dead(None, 10, [9]), 10, [0])
    alive = alive_mask(dead, 10)
    assert alive is not None
    assert np.flatnonzero(~alive).tolist() == [0, 9]
    assert alive_mask(None, 10) is None
    assert alive_mask(b"", 10) is None
