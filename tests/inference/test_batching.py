from hypothesis import given
from hypothesis import strategies as st

from inference.pooling.batching import BatchCaps, batch_pick, share_out

LENGTHS = st.lists(st.integers(1, 512), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 64), st.integers(1, 2048))
def test_a_batch_holds_the_first_input_and_keeps_the_caps(
    lengths: list[int], inputs: int, tokens: int
) -> None:
    picked = batch_pick(lengths, BatchCaps(inputs, tokens))
    assert picked[0] == 0
    assert len(set(picked)) == len(picked) <= inputs
    padded = max(lengths[n] for n in picked) * len(picked)
    assert padded <= tokens or picked == [0]


def test_inputs_of_like_length_run_together() -> None:
    assert sorted(batch_pick([100, 9, 101, 400, 98, 12], BatchCaps(64, 512))) == [0, 2, 4]


def test_short_inputs_share_a_batch_whatever_they_pad() -> None:
    assert sorted(batch_pick([3, 20, 8], BatchCaps(64, 512))) == [0, 1, 2]


@given(st.integers(0, 10**9), st.lists(st.integers(1, 512), min_size=1, max_size=64))
def test_shares_add_up_to_the_whole(total: int, weights: list[int]) -> None:
    parts = share_out(total, weights)
    assert sum(parts) == total
    assert all(
        abs(part - total * w / sum(weights)) <= 1 for part, w in zip(parts, weights, strict=True)
    )
