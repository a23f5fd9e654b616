"""Precision at 80 % recall by the rule of CUAD's authors, for `contract_cuad.py`.

The rule (Hendrycks, Burns, Chen, Ball: CUAD, 2021, section 5; `evaluate.py` of TheAtticusProject/cuad): a prediction
is a text with a confidence, for one contract and one type. It matches a marked text where their sets of words, without
`. , ; :` and in small letters, share at least half of their union (Jaccard >= 0.5); for Parties also where it holds the
marked text. A marked text that some prediction matches is found, a prediction that matches none is false, over all
contracts and types together. Confidences from 0.99 down to 0 give pairs of precision and recall; the figure is the best
precision among those with at least 80 % recall. Our contracts are not the authors' test, so that figures are alike in
kind only.

What we predict: the sentences with their likelihood, at most twenty for a contract and type; names and days as
the reading of facts ranks them.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from apps.contracts.reading.headlines.choice import Candidate, choice_weights, score, squeezed
from apps.contracts.reading.headlines.days import Days
from apps.contracts.reading.headlines.names import name_candidates

_MOST = 20
_CONFIDENCES = (*np.arange(0.99, 0, -0.01), 0.001, 0.0)
_LEAST_SHARED = 0.5
Marked = Any
Predictions = list[tuple[str, float]]


def precision_at(
    recall: float, contracts: Sequence[Marked], types: Sequence[str], log_odds: Sequence[np.ndarray]
) -> float:
    """0 where that recall is never reached."""
    cases = [case for contract, odds in zip(contracts, log_odds, strict=True) for case in _cases(contract, types, odds)]  # fmt: skip
    best = 0.0
    for confidence in _CONFIDENCES:
        found = missed = wrong = 0
        for matches, chances in cases:
            said = matches[:, chances > confidence]
            hits = int(said.any(1).sum())
            found, missed = found + hits, missed + len(said) - hits
            wrong += int((~said.any(0)).sum())
        if found >= recall * (found + missed):
            best = max(best, found / (found + wrong))
    return best


def _cases(contract: Marked, types: Sequence[str], odds: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:  # fmt: skip
    """For each type: which marked text matches which prediction, and how sure each is."""
    facts = _facts(contract.row["text"])
    for column, name in enumerate(types):
        said = dict(
            sorted(facts.get(name) or _sentences(contract, odds[:, column]), key=lambda one: one[1])
        )
        marked = [span["text"] for span in contract.row["labels"][name]["spans"] if span["text"]]
        matches = np.zeros((len(marked), len(said)), bool)
        ours = [_words(text) for text in said]
        for row, text in enumerate(marked):
            wanted = _words(text)
            for at, (said_text, words) in enumerate(zip(said, ours, strict=True)):
                matches[row, at] = _is_alike(wanted, words) or (
                    name == "Parties" and text in said_text
                )
        yield matches, np.array(list(said.values()))


def _sentences(contract: Marked, odds: np.ndarray) -> Predictions:
    top = np.argsort(-odds)[:_MOST]
    return [(contract.sentences[at], float(np.exp(-np.logaddexp(0, -odds[at])))) for at in top]


def _facts(text: str) -> dict[str, Predictions]:
    page = squeezed(text)
    days = Days(page)
    words = {one.value: page[one.start : one.end] for one in reversed(days.found)}
    made = _ranked("made", days.candidates())
    first = made[0][0] if made else None
    effective = _ranked("effective", days.candidates(first))
    return {
        "Document Name": _ranked("name", name_candidates(page)),
        "Agreement Date": [(words[day], chance) for day, chance in made if day],
        "Effective Date": [(words[day], chance) for day, chance in effective if day],
    }


def _ranked(kind: str, candidates: Sequence[Candidate[Any]]) -> list[tuple[Any, float]]:
    """The likeliest first; what is left out is that the contract does not tell."""
    raised = [math.exp(score(choice_weights()[kind], one.features)) for one in candidates]
    total = sum(raised)
    pairs = [
        (one.value, up / total) for one, up in zip(candidates, raised, strict=True) if one.value
    ]
    return sorted(pairs, key=lambda pair: -pair[1])[:_MOST]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.translate(_SIGNS).lower().split())


_SIGNS = str.maketrans({".": "", ",": "", ";": "", ":": "", "/": " "})


def _is_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _LEAST_SHARED * max(len(one | other), 1)
