"""The shipped clause classifiers."""

import numpy as np
import pytest

from apps.contracts.clauses.model import FILE, clause_model, presence
from apps.contracts.clauses.standing import OWN, Standing, Trees
from tests.bench.contract_spans import precision_at

SENTENCES = [
    "This Agreement is made by and between Acme Inc. and Bolt LLC.",
    "The Distributor shall pay each invoice within thirty days of receipt.",
    "Governing Law.",
    "This Agreement shall be governed by and construed in accordance with the laws of the State of New York.",
    "Neither party may assign this Agreement without the prior written consent of the other party.",
    "The goods shall be packed in wooden boxes.",
]


def best_for(name: str) -> str:
    model = clause_model()
    return SENTENCES[int(model.scores(SENTENCES)[:, model.types.index(name)].argmax())]


def test_file_is_small_and_has_every_type() -> None:
    assert FILE.stat().st_size < 5_000_000
    assert len(clause_model().types) == 41


def test_clauses_are_found() -> None:
    assert best_for("Governing Law") == SENTENCES[3]
    assert best_for("Anti-Assignment") == SENTENCES[4]
    assert best_for("Parties") == SENTENCES[0]


def test_scores_are_the_same_every_time_and_of_nothing_empty() -> None:
    model = clause_model()

    assert np.array_equal(model.scores(SENTENCES), model.scores(list(SENTENCES)))
    assert model.scores([]).shape == (0, 41)
    assert np.isfinite(model.scores(["。"])).all()


def test_presence_grows_with_every_likely_sentence() -> None:
    one, two = np.array([[0.0], [-9.0]]), np.array([[0.0], [0.0]])

    assert presence(one)[0] == pytest.approx(0.5, abs=1e-3)
    assert presence(two)[0] == pytest.approx(0.75, abs=1e-3)


def test_contract_lacks_what_none_of_its_sentences_says() -> None:
    model = clause_model()
    there = presence(model.log_odds(SENTENCES))

    assert there[model.types.index("Governing Law")] > 0.9
    assert there[model.types.index("Source Code Escrow")] < 0.2


def test_standing_tells_rank_neighbours_and_the_other_types() -> None:
    scores = np.array([[0.5, -1], [-1, 2], [0.1, -1]], np.float32)
    looked = Standing(scores, [10, 20, 30]).of_type(0)

    assert looked[:, 3].tolist() == [0, 2, 1]
    assert looked[2, OWN - 3 : OWN - 1].tolist() == [-1, -2]
    assert np.array_equal(looked[:, OWN:], scores)


def test_trees_add_the_leaf_that_each_row_reaches() -> None:
    tree = {
        "tree_feature": [[[1, 0, 0]]], "tree_step": [[[0.5, 0, 0]]], "tree_left": [[[1, 1, 2]]],
        "tree_right": [[[2, 1, 2]]], "tree_value": [[[9, -1, 3]]], "tree_depth": 1,
    }  # fmt: skip
    trees = Trees({name: np.array(value) for name, value in tree.items()})

    assert trees.added(0, np.array([[0, 0.5], [0, 0.6]], np.float32)).tolist() == [-1, 3]


class Case:
    """A contract of the bench: its sentences and what is marked."""

    def __init__(self, sentences: list[str], marked: list[str]) -> None:
        self.sentences = sentences
        self.row = {
            "text": "Nothing tells.",
            "labels": {"Insurance": {"spans": [{"text": text} for text in marked]}},
        }


def test_authors_rule_counts_false_predictions_until_enough_is_found() -> None:
    case = Case(["Buyer shall insure the goods.", "Other words here now.", "More words yet."], ["buyer shall insure goods"])  # fmt: skip
    odds = np.array([[-1.0], [2.0], [-3.0]])

    assert precision_at(0.8, [case], ["Insurance"], [odds]) == pytest.approx(0.5)
    assert precision_at(0.8, [case], ["Insurance"], [-odds]) == 1 / 2
    assert precision_at(0.8, [Case(["Other words."], ["insure"])], ["Insurance"], [odds[:1]]) == 0.0
