"""Choosing the sentences that answer a question, word for word, without any language model.

Each sentence of the passages gets a handful of features (see `furrow.knowledge.text.evidence`) and a
weighted sum of them. The weights come from one half of a public reading set and were checked on the
other half; `tests/bench/retrieval_offline.py` measures them.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from furrow.knowledge.sentences import split_sentences
from furrow.knowledge.text.evidence import Context, Question, sentence_features

_WEIGHTS: Mapping[str, float] = {
    "own_coverage": 8.1,
    "prior": 5.6,
    "beyond_pairs": 4.8,
    "beyond_singles": 4.6,
    "before": 1.8,
    "pairs": 1.3,
    "opening": -1.8,
    "opening_subject": 6.9,
    "opening_definition": 2.1,
    "opening_where": 2.5,
    "opening_who": 4.2,
    "shows_name": 7.3,
    "shows_why": 4.1,
    "measure": 3.3,
    "shows_how": 2.8,
    "shows_where": 2.6,
    "shows_when": 2.2,
    "shows_list": 1.0,
    "shows_number": 0.5,
    "idle_date": -0.3,
}
# Logistic in the share of the question that the sentence, the one before it and the header cover. How far
# the best sentence leads is left out: two documents that say the same must not make each other doubtful.
_CONFIDENCE_SLOPE = 8.4
_CONFIDENCE_BASE = -3.9
# A further sentence is quoted when it is at least this likely beside the first.
_FURTHER_SHARE = 0.12
# Shorter than this a sentence says too little by itself, and takes the one before it along.
_SHORT = 10
# A question of a question-and-answer list, or a heading that came along as text.
_ASKING = re.compile(
    r"[?？]\s*[”」』\"]?\s*$|^\s*(?:问|[Qq]|[Qq]uestion)\s*\d{0,3}\s*[:：]|^#{1,6} "
)
# How far behind its question the answer may begin.
_ANSWER_REACH = 3
_ANSWER_LABEL = re.compile(r"\s*(?:答|[Aa]|[Aa]nswer)\s*\d{0,3}\s*[:：]\s*")


@dataclass(frozen=True)
class Passage:
    """A retrieved piece of text; `score` is its BM25 score, or any score whose ratios mean something."""

    id: Hashable
    text: str
    document_title: str = ""
    heading_path: str = ""
    score: float = 1.0


@dataclass(frozen=True)
class Quote:
    """`text` is `passage.text[start:end]`. `score` is the share of this sentence among all, and
    `confidence` the estimated chance that it answers the question; both lie between 0 and 1.
    """

    passage_id: Hashable
    start: int
    end: int
    text: str
    score: float
    confidence: float


class _Candidate(NamedTuple):
    value: float
    passage: int
    sentence: int
    features: Mapping[str, float]


def pick_sentences(question: str, passages: Sequence[Passage], limit: int = 2) -> list[Quote]:
    """At most `limit` quotes, the best first; none when nothing in the passages can be quoted."""
    spans = [split_sentences(passage.text) for passage in passages]
    candidates = _ranked(question, passages, spans)
    if not candidates or limit < 1:
        return []
    whole = sum(exp(candidate.value - candidates[0].value) for candidate in candidates)
    quotes: list[Quote] = []
    for candidate in candidates:
        share = exp(candidate.value - candidates[0].value) / whole
        if len(quotes) == limit or (quotes and share < _FURTHER_SHARE):
            break
        passage = passages[candidate.passage]
        start, end = _extended(passage.text, spans[candidate.passage], candidate.sentence)
        if any(_repeats(quote, passage, start, end) for quote in quotes):
            continue
        confidence = _confidence(candidate.features)
        text = passage.text[start:end]
        quotes.append(Quote(passage.id, start, end, text, share, confidence))
    return quotes


def _ranked(
    question: str, passages: Sequence[Passage], spans: Sequence[Sequence[tuple[int, int]]]
) -> list[_Candidate]:
    best = max((passage.score for passage in passages), default=0.0)
    contexts = [
        Context(
            f"{passage.document_title}\n{passage.heading_path}",
            [passage.text[start:end] for start, end in sentences],
            passage.score / best if best > 0 else 1.0,
        )
        for passage, sentences in zip(passages, spans, strict=True)
    ]
    rows = sentence_features(Question.of(question), contexts)
    candidates = [
        _Candidate(_value(features), number, at, features)
        for number, row in enumerate(rows)
        for at, features in enumerate(row)
    ]
    # Equal values keep the order of passages and sentences, so the result is always the same.
    return sorted(candidates, key=lambda candidate: -candidate.value)


def _value(features: Mapping[str, float]) -> float:
    return sum(weight * features.get(name, 0.0) for name, weight in _WEIGHTS.items())


def _confidence(features: Mapping[str, float]) -> float:
    value = _CONFIDENCE_SLOPE * features["own_coverage"] + _CONFIDENCE_BASE
    return 1 / (1 + exp(-value))


def _extended(text: str, spans: Sequence[tuple[int, int]], at: int) -> tuple[int, int]:
    """The answer in place of a question or heading, the sentence before along with a very short one."""
    start, end = spans[at]
    if _ASKING.search(text[start:end]):
        for start, end in spans[at + 1 : at + 1 + _ANSWER_REACH]:
            if not _ASKING.search(text[start:end]):
                label = _ANSWER_LABEL.match(text, start, end)
                return (label.end() if label and label.end() < end else start), end
        return spans[at]
    if end - start < _SHORT and at and not _ASKING.search(text[slice(*spans[at - 1])]):
        return spans[at - 1][0], end
    return start, end


def _repeats(quote: Quote, passage: Passage, start: int, end: int) -> bool:
    if quote.passage_id == passage.id and start < quote.end and quote.start < end:
        return True
    return quote.text == passage.text[start:end]
