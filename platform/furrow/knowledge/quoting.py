"""Choosing the sentences that answer a question, word for word, without any language model.

Each sentence of the passages gets a handful of features (see `furrow.knowledge.text.evidence`) and a
weighted sum of them. The weights were fitted on one half of a public reading set together with one half
of the demo's questions, and checked on the other halves; `tests/bench/retrieval_offline.py` and
`tests/bench/quoted_demo.py` measure them.
"""

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from furrow.knowledge.sentences import split_sentences
from furrow.knowledge.text.evidence import Context, Question, sentence_features

_WEIGHTS: Mapping[str, float] = {
    "own_coverage": 7.8,
    "shows_name": 7.6,
    "opening_subject": 6.4,
    "prior": 5.1,
    "shows_why": 4.1,
    "opening_who": 4.0,
    "measure": 3.3,
    "figures": 1.5,
    "beyond_singles": 3.1,
    "shows_how": 2.8,
    "shows_when": 2.8,
    "opening": -2.6,
    "shows_where": 2.6,
    "opening_where": 2.5,
    "below_subject": 2.3,
    "beyond_pairs": 2.3,
    "same_question": 1.8,
    "opening_definition": 1.7,
    "shows_duration": 1.6,
    "own_words": 1.5,
    "below_heading": 1.4,
    "shows_number": 1.3,
    "heading": 1.0,
    "pairs": 1.0,
    "shows_list": 1.0,
    "heading_share": 0.8,
    "lacks_figure": -0.8,
    "plain_coverage": 0.8,
    "before": 0.6,
    "idle_date": -0.4,
    "shows_money": 0.2,
}
# Logistic in how much of the question the sentence, the one before it and the headings account for. How far
# the best sentence leads is left out: two documents that say the same must not make each other doubtful.
_CONFIDENCE: Mapping[str, float] = {
    "own_coverage": 1.27,
    "plain_coverage": 1.63,
    "plain_singles": 1.6,
    "own_words": 1.72,
    "known": 1.24,
    "heading": 0.7,
    "same_question": 0.44,
    "pairs": 0.72,
    "measure": 0.57,
    "shows_duration": 0.54,
}
_CONFIDENCE_BASE = -5.25
# A further sentence is quoted when it is at least this likely beside the first.
_FURTHER_SHARE = 0.06
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
    headings: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The heading right above; in a list of questions and answers it is the question."""
        return self.headings[-1] if self.headings else ""


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
        span = _extended(passage, spans[candidate.passage], candidate.sentence)
        if span is None or any(_repeats(quote, passage, *span) for quote in quotes):
            continue
        start, end = span
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
            passage.heading,
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
    value = sum(weight * features.get(name, 0.0) for name, weight in _CONFIDENCE.items())
    return 1 / (1 + exp(-value - _CONFIDENCE_BASE))


def _extended(
    passage: Passage, spans: Sequence[tuple[int, int]], at: int
) -> tuple[int, int] | None:
    """The answer in place of a question or heading, the sentence before along with a very short one; None
    for a heading with nothing below it and for the names of a table's columns.
    """
    start, end = spans[at]
    if _names_columns(passage.text, spans, at):
        return None
    if _is_asking(passage, start, end):
        below = spans[at + 1 : at + 1 + _ANSWER_REACH]
        answers = (span for span in below if not _is_asking(passage, *span))
        heading = None if passage.text[start:end] in passage.headings else (start, end)
        span = next(answers, heading)
        return span and _unlabelled(passage.text, *span)
    if end - start < _SHORT and at and not _is_asking(passage, *spans[at - 1]):
        start = spans[at - 1][0]
    return _unlabelled(passage.text, start, end)


def _unlabelled(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the "A:" before it, unless nothing else is there."""
    label = _ANSWER_LABEL.match(text, start, end)
    return (label.end() if label and label.end() < end else start), end


def _names_columns(text: str, spans: Sequence[tuple[int, int]], at: int) -> bool:
    """Whether this is the first line of a table, whose names every row repeats before its values."""
    first, bar, _ = text[slice(*spans[at])].partition(" | ")
    return bool(bar) and at + 1 < len(spans) and text.startswith(f"{first}: ", spans[at + 1][0])


def _is_asking(passage: Passage, start: int, end: int) -> bool:
    sentence = passage.text[start:end]
    return sentence in passage.headings or bool(_ASKING.search(sentence))


def _repeats(quote: Quote, passage: Passage, start: int, end: int) -> bool:
    if quote.passage_id == passage.id and start < quote.end and quote.start < end:
        return True
    return quote.text == passage.text[start:end]
