"""A floor under the verifier's figures, so that no change of its rules or its model goes unseen."""

import pytest

from tests.bench.verifier import DATA, LEAST_STOPPED, measure

# The threshold is the safe one: a lost sentence lets the quotes answer, a leaked one misleads a customer.
MOST_LOST = {"dev": 0.16, "held": 0.15, "learning": 0.25}


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(
    not (DATA / "cmrc2018_trial").is_dir(), reason="the reading set is not beside the checkout"
)
@pytest.mark.parametrize("half", ["dev", "held", "learning"])
def test_planted_falsehoods_stay_and_honest_sentences_leave(half):
    figures = measure(half, shows=False)
    assert figures["stopped"] >= LEAST_STOPPED
    assert figures["lost"] <= MOST_LOST[half]
    assert figures["copies_lost"] <= 0.02
