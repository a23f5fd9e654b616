"""The shipped clause classifiers."""

import numpy as np

from apps.contracts.clauses.model import FILE, clause_model

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
