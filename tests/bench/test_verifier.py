"""A floor under the verifier's figures, so that no change of its rules or its model goes unseen."""

import pytest

from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.judge import judge
from furrow.assistants.verifier.statements import Statements
from tests.bench.verifier import DATA, LEAST_STOPPED, measure
from tests.bench.verifier_rows import SETS, copies
from tests.bench.verifier_sources import written_by_hand

# A little above what was measured. The threshold is the safe one: a lost sentence lets the quotes answer, a leaked one
# misleads a customer.
MOST_LOST = {"dev": 0.16, "held": 0.15, "learning": 0.25}
MOST_COPIES_LOST = 0.01
demo = [
    pytest.mark.data,
    pytest.mark.skipif(
        not (DATA / "cmrc2018_trial").is_dir(), reason="the reading set is not beside the checkout"
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "half", ["learning", pytest.param("dev", marks=demo), pytest.param("held", marks=demo)]
)
def test_planted_falsehoods_stay_and_honest_sentences_leave(half):
    figures = measure(half, shows=False)
    assert figures["stopped"] >= LEAST_STOPPED
    assert figures["lost"] <= MOST_LOST[half]
    assert figures["copies_lost"] <= MOST_COPIES_LOST


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SETS if name != "learning"])
def test_planted_falsehoods_of_other_trades_stay(name):
    assert measure(name, shows=False)["stopped"] >= LEAST_STOPPED


@pytest.mark.slow
def test_no_sentence_taken_over_from_its_passage_is_lost():
    lost, seen = [], 0
    for name in SETS:
        for answer in written_by_hand(name):
            source = answer.passages[0]
            statements = Statements(Evidence(source.text, source.heading))
            for said in copies(source):
                seen += 1
                if not judge(said.text, statements).is_supported:
                    lost.append(said.text)
    assert lost == []
    assert seen > 250
