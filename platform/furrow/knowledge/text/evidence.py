"""How well single sentences answer a question, as a handful of plain features.

All statistics come from the candidate passages themselves, so a result depends on nothing else. Question and
sentences are compared in one wording: `furrow.knowledge.text.synonyms`.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from math import log

from furrow.knowledge.text.analysis import analyse, analyse_query
from furrow.knowledge.text.cues import FIGURE_KINDS, Cues, question_cues
from furrow.knowledge.text.folding import fold
from furrow.knowledge.text.synonyms import unified

_YEAR = re.compile(r"[0-9]{3,4}年")


@dataclass(frozen=True)
class Question:
    """The question's terms by weight, pairs and words apart from single characters."""

    folded: str
    cues: Cues
    weights: dict[str, float]

    @classmethod
    def of(cls, text: str) -> "Question":
        folded = fold(text)
        return cls(folded, question_cues(folded), dict(analyse_query(unified(folded))))


@dataclass(frozen=True)
class Context:
    """One passage: its header (title and headings), the heading right above it, its sentences in order."""

    header: str
    sentences: Sequence[str]
    prior: float = 1.0
    heading: str = ""


@dataclass
class _Read:
    """A context as the question sees it."""

    folded: list[str]
    held: list[frozenset[str]]
    in_header: frozenset[str]
    in_heading: frozenset[str]
    has_heading: bool
    heading_likeness: float
    prior: float


def sentence_features(
    question: Question, contexts: Sequence[Context]
) -> list[list[dict[str, float]]]:
    """For each context the features of each sentence."""
    reads = [_read(question, context) for context in contexts]
    gains = _gains(question, [held for read in reads for held in read.held])
    known = frozenset().union(*(held | read.in_header for read in reads for held in read.held))
    return [_context_features(question, gains, read, known) for read in reads]


def _read(question: Question, context: Context) -> _Read:
    folded = [fold(sentence) for sentence in context.sentences]
    held = [
        frozenset(question.weights.keys() & {term for term, _ in analyse(unified(sentence))})
        for sentence in folded
    ]
    header = unified(fold(context.header))
    in_header = frozenset(term for term in question.weights if term in header)
    heading = dict(analyse_query(unified(fold(context.heading))))
    in_heading = frozenset(question.weights.keys() & heading.keys())
    likeness = _likeness(question.weights, heading)
    return _Read(
        folded, held, in_header, in_heading, bool(context.heading), likeness, context.prior
    )


def _likeness(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """1.0 when a heading asks in the words of the question, 0.0 when they share none."""
    whole = sum(ours.values()) + sum(theirs.values())
    shared = sum(min(weight, theirs[term]) for term, weight in ours.items() if term in theirs)
    return 2 * shared / whole if whole else 0.0


def _gains(question: Question, held: Sequence[frozenset[str]]) -> dict[str, float]:
    """What each term tells apart: most when no sentence has it, next to nothing when most have."""
    count = len(held)
    frequencies = Counter(term for terms in held for term in terms)
    return {
        term: weight * log(1 + (count - frequencies[term] + 0.5) / (frequencies[term] + 0.5))
        for term, weight in question.weights.items()
    }


def _share(gains: Mapping[str, float], held: Set[str], among: Collection[str]) -> float:
    """The part of the gains of the terms `among` that the held ones make up."""
    whole = sum(gains[term] for term in among)
    return sum(gains[term] for term in among if term in held) / whole if whole else 0.0


def _context_features(
    question: Question, gains: Mapping[str, float], read: _Read, known: frozenset[str]
) -> list[dict[str, float]]:
    pairs = [term for term in gains if len(term) > 1]
    singles = [term for term in gains if len(term) == 1]
    figures = [term for term in gains if term.isdigit()]
    beyond_pairs = [term for term in pairs if term not in read.in_header]
    beyond_singles = [term for term in singles if term not in read.in_header]
    subject = _share(gains, read.in_header, singles or pairs)
    weights = question.weights
    rows = []
    for at, held in enumerate(read.held):
        before = read.held[at - 1] - held if at else frozenset()
        reached = held | before | read.in_header
        row = {
            "pairs": _share(gains, held, pairs),
            "beyond_pairs": _share(gains, held, beyond_pairs),
            "beyond_singles": _share(gains, held, beyond_singles or beyond_pairs),
            "before": _share(gains, before, pairs),
            "prior": read.prior,
            "own_coverage": _share(gains, reached, gains),
            "plain_coverage": _share(weights, reached, weights),
            "plain_singles": _share(weights, reached, singles or pairs),
            "own_words": _share(weights, held, weights),
            "known": _share(weights, known, weights),
            "figures": _share(weights, held, figures),
            "heading": read.heading_likeness,
            "same_question": max(0.0, 2 * read.heading_likeness - 1),
            "heading_share": _share(weights, read.in_heading, weights),
        }
        row |= _cue_features(question, read.folded[at])
        if at == 0:
            row |= _opening_features(question.cues, subject, read.has_heading)
        rows.append(row)
    return rows


def _cue_features(question: Question, folded: str) -> dict[str, float]:
    row: dict[str, float] = {}
    shown = question.cues.shown(folded)
    for name, times in shown.items():
        # Once is half the proof; more than three times proves nothing more.
        row[f"shows_{name}"] = (float(times > 0) + min(times, 3) / 3) / 2
    row["measure"] = float(question.cues.shows_measure(folded))
    asked = [times for name, times in shown.items() if name in FIGURE_KINDS]
    row["lacks_figure"] = float(bool(asked) and not any(asked))
    if not question.cues.asks("when"):
        row["idle_date"] = float(bool(_YEAR.search(folded)))
    return row


def _opening_features(cues: Cues, subject: float, has_heading: bool) -> dict[str, float]:
    """An opening sentence says what its subject is, where it lies, who it is; below a heading of its own it
    may as well say any other thing.
    """
    if has_heading:
        return {"below_heading": 1.0, "below_subject": subject}
    return {
        "opening": 1.0,
        "opening_subject": subject,
        **{f"opening_{name}": 1.0 for name in ("definition", "where", "who") if cues.asks(name)},
    }
