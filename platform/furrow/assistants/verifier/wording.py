"""How far the words of a sentence stand in its evidence."""

import re

from rapidfuzz import fuzz

from furrow.assistants.verifier.evidence import Evidence, clauses_of
from furrow.assistants.verifier.held_figures import Failure
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.words import Words, coverage

# Fitted on the developing half of tests/bench/verifier.py.
LEAST_SENTENCE = 0.5
LEAST_CLAUSE = 0.4
LEAST_ADDITION = 0.3
_ADDITION = 2.5
# What says of itself that it comes on top must be there, not only something like it.
_ADDS = re.compile(
    r"(?<![归])还(?!是|要|需|可能|没|未|款|有\d|剩|清|书|给|回|车)|另外|此外|同时也|\b(?:also|in addition|additionally|as well|besides|furthermore)\b(?! as)"
)
LEAST_ADDED = 0.75
# A clause of less content than this is judged with the whole sentence.
_SMALL = 3.0
_COPIED = 90.0


def missing_words(sentence: str, evidence: Evidence) -> Failure:
    whole = coverage(sentence, _window(sentence, evidence))
    if whole.share < LEAST_SENTENCE:
        return "words_not_in_passage", f"{whole.share:.2f} {' '.join(whole.novel[:4])}"
    for clause in joined(sentence):
        best = evidence.aligned(clause)[0][1]
        held = coverage(clause, evidence.near_words(best))
        if held.weight >= _SMALL and held.share < LEAST_CLAUSE:
            return "words_not_in_passage", f"{held.share:.2f} {' '.join(held.novel[:4])}"
    return _small_addition(sentence, evidence) or _changed_copy(sentence, evidence)


def _small_addition(sentence: str, evidence: Evidence) -> Failure:
    """A few words hung on to a good sentence, of which the passage knows nothing."""
    for clause in clauses_of(sentence):
        held = coverage(clause.text, evidence.near_words(evidence.aligned(clause.text)[0][1]))
        if _ADDS.search(clause.text) and held.weight >= _SMALL and held.share < LEAST_ADDED:
            return "words_not_in_passage", " ".join(held.novel[:4])
        if held.weight >= _ADDITION and held.share < LEAST_ADDITION:
            return "words_not_in_passage", " ".join(held.novel[:4])
    return None


def _changed_copy(sentence: str, evidence: Evidence) -> Failure:
    """A sentence copied but for a word that the original does not have: the word is the whole difference."""
    said = normal(sentence)
    for line in evidence.lines:
        if likeness(said, normal(line.text)) >= _COPIED:
            held = coverage(sentence, line.words)
            if held.weight - held.held >= _ADDITION and held.novel:
                return "words_not_in_passage", " ".join(held.novel[:4])
    return None


def _window(sentence: str, evidence: Evidence) -> Words:
    """The places of the passage that the sentence's clauses point to."""
    words = evidence.near_words(evidence.aligned(sentence)[0][1])
    for clause in joined(sentence):
        words = words | evidence.near_words(evidence.aligned(clause)[0][1])
    return words


def joined(sentence: str) -> list[str]:
    """Its clauses, small ones together with the one after."""
    found: list[str] = []
    held = ""
    nothing = Words(frozenset(), frozenset(), frozenset(), frozenset())
    for clause in clauses_of(sentence):
        held = f"{held}{clause.text}"
        if coverage(held, nothing).weight >= _SMALL:
            found.append(held)
            held = ""
    if held and found:
        found[-1] += held
    elif held:
        found.append(held)
    return found


def likeness(left: str, right: str) -> float:
    return fuzz.ratio(re.sub(r"\W", "", left), re.sub(r"\W", "", right))
