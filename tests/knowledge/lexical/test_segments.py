from collections import Counter
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from furrow.knowledge.lexical.packing import mark_dead, sparse
from furrow.knowledge.lexical.segments import SegmentData, build_segment, merge_segments
from furrow.knowledge.text.analysis import analyse

TEXTS = st.lists(
    st.text(alphabet="退货款的 a1-./苹果第十七条\n？ab", max_size=30), min_size=1, max_size=6
)


def segment(texts: list[str], first: int = 0) -> SegmentData:
    return build_segment((UUID(int=first + n), "", text) for n, text in enumerate(texts))


def contents(data: SegmentData) -> list[Counter[str]]:
    found: list[Counter[str]] = [Counter() for _ in range(data.chunk_count)]
    for term, packed in data.postings.items():
        for at, count in zip(*map(np.ndarray.tolist, sparse(packed)), strict=True):
            found[at][term] = count
    return found


@given(TEXTS)
def test_the_fast_way_counts_what_analysis_counts(texts: list[str]) -> None:
    data = segment(texts)
    assert contents(data) == [Counter(dict(analyse(text))) for text in texts]
    assert data.lengths.tolist() == [sum(c for _, c in analyse(text)) for text in texts]
    assert data.total_length == sum(data.lengths.tolist())


def test_a_header_counts_by_its_weight_and_does_not_join_the_text() -> None:
    data = build_segment([(UUID(int=1), "退货", "款项")], header_weight=2)
    (held,) = contents(data)
    assert held["退货"] == 2
    assert "货款" not in held
    assert "项退" not in held
    assert data.lengths.tolist() == [9]


@given(TEXTS, TEXTS)
@pytest.mark.slow
def test_merging_equals_building_at_once(left: list[str], right: list[str]) -> None:
    merged = merge_segments([segment(left), segment(right, len(left))], [None, None])
    whole = segment([*left, *right])
    assert merged.chunk_ids == whole.chunk_ids
    assert merged.lengths.tolist() == whole.lengths.tolist()
    assert merged.postings == whole.postings


def test_merging_drops_dead_chunks_and_terms_only_they_held() -> None:
    data = segment(["苹果", "香梨", "苹果"])
    merged = merge_segments([data], [mark_dead(None, 3, [1])])
    assert merged.chunk_ids == UUID(int=0).bytes + UUID(int=2).bytes
    assert "香梨" not in merged.postings
    assert contents(merged) == [Counter(dict(analyse("苹果")))] * 2


def test_nothing_makes_an_empty_segment() -> None:
    data = build_segment([])
    assert (data.chunk_count, data.total_length, data.postings) == (0, 0, {})
