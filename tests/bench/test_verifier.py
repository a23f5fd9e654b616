"""A floor under the verifier's figures, so that no change of its rules goes unseen."""

import pytest

from tests.bench.verifier import DATA, LEAST_STOPPED, MOST_LOST, measure


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(
    not (DATA / "cmrc2018_trial").is_dir(), reason="the reading set is not beside the checkout"
)
@pytest.mark.parametrize("half", ["dev", "held", "learning"])
def test_planted_falsehoods_stay_and_honest_sentences_leave(half):
    figures = measure(half, shows=False)
    assert figures["stopped"] >= LEAST_STOPPED
    assert figures["lost"] <= MOST_LOST
