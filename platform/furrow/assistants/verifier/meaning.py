"""Claims, promises and denials of a sentence against the places of the passage it speaks of."""

import re

from furrow.assistants.verifier.claims import over_all, unfounded_claim, unfounded_commitment
from furrow.assistants.verifier.evidence import Evidence, clauses_of
from furrow.assistants.verifier.figures import figures_of
from furrow.assistants.verifier.held_figures import Failure, equal
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.opposites import opposite
from furrow.assistants.verifier.predicates import turned_round
from furrow.assistants.verifier.roles import acts_for_another
from furrow.assistants.verifier.tone import denies, tone_of
from furrow.assistants.verifier.wording import joined, likeness

_LEAST_LIKENESS = 0.6
_FREE = re.compile(r"免|\bfree\b|\boptional\b|随意|任选|\bmay\b|可以")
_ONLY = re.compile(r"只|仅|\bonly\b")
_CLOSE_LINE = 0.6
_ALIKE = 80.0
_CLOSE = 0.75


def unfounded_part(sentence: str, evidence: Evidence) -> Failure:
    places = {evidence.aligned(clause)[0][1] for clause in [sentence, *joined(sentence)]}
    # What stands under a question answers it.
    places |= {at + 1 for at in places if evidence.is_question(at) and at + 1 < len(evidence.lines)}
    near = "\n".join(evidence.around(at) for at in sorted(places))
    own = "\n".join([evidence.heading, *(evidence.texts[at] for at in sorted(places))])
    if group := unfounded_claim(sentence, own):
        return "claim_not_in_passage", group
    for clause in joined(sentence):
        at = evidence.aligned(clause)[0][1]
        said = f"{evidence.heading} {evidence.texts[at]} {evidence.texts[at + 1] if evidence.is_question(at) and at + 1 < len(evidence.lines) else ''}"
        if group := over_all(clause, said):
            return "claim_not_in_passage", group
    if promise := unfounded_commitment(sentence, near):
        return "promise_not_in_passage", promise
    return None


def opposite_part(sentence: str, evidence: Evidence) -> Failure:
    if word := opposite(sentence, evidence.whole, is_near=False):
        return "opposite_word", word
    if clause := acts_for_another(sentence, evidence) or turned_round(sentence, evidence):
        return "says_the_opposite", clause[:60]
    clauses = [clause.text for clause in clauses_of(sentence)]
    found = [(clause, near) for clause in clauses if (near := _said_of_it(clause, evidence))]
    if not found and _is_refusal(sentence):
        line = evidence.texts[evidence.aligned(sentence)[0][1]]
        if not (_is_refusal(line) or _FREE.search(normal(line))):
            return "says_the_opposite", ""
    # Clauses too small to find their place are held against it together.
    for clause, near in found or [(sentence, _said_of_it(sentence, evidence))]:
        if (
            near
            and not any(_same_tone(clause, text) for text in near)
            and not _line_denies_it(clause, near, evidence)
        ):
            return "says_the_opposite", clause.strip()[:60]
    return None


def _is_refusal(text: str) -> bool:
    tone = tone_of(text)
    return tone.is_negated or tone.needs_nothing


def _line_denies_it(clause: str, near: list[str], evidence: Evidence) -> bool:
    """Whether the sentence around says no to the same thing a few words further on."""
    if not tone_of(clause).is_negated or any(likeness(clause, text) >= _ALIKE for text in near):
        return False
    line = evidence.texts[evidence.aligned(clause)[0][1]]
    if any(_ONLY.search(text) for text in near) and not _ONLY.search(clause):
        # "only to zones A and B" says no to the others.
        return True
    return tone_of(line).is_negated and denies(line, clause)


def _same_tone(clause: str, theirs: str) -> bool:
    if opposite(clause, theirs, is_near=True):
        return False
    mine, held = tone_of(clause), tone_of(theirs)
    if likeness(clause, theirs) >= _ALIKE:
        # Nearly the same words: one negation more or less is the whole difference.
        return (mine.negations, mine.needs_nothing) == (held.negations, held.needs_nothing)
    if mine.needs_nothing:
        return held.needs_nothing or held.is_negated or bool(_FREE.search(normal(theirs)))
    if held.needs_nothing:
        return mine.is_negated or not mine.needs
    if "不收" in clause and "免" in theirs:
        return True
    if mine.is_negated == held.is_negated:
        return True
    return not mine.is_negated and not denies(theirs, clause)


def _said_of_it(clause: str, evidence: Evidence) -> list[str]:
    """What the passage says of the same, nearly as well as the best of it; as many of its clauses together as
    the clause has parts.
    """
    width = len(clauses_of(clause))
    terms = evidence.terms(clause)
    figures = [figure for figure in figures_of(clause) if figure.kind != "code"]
    scored: list[tuple[int, float, str]] = []
    lines = evidence.aligned(clause)[:4]
    for value, at in lines:
        if value < lines[0][0] * _CLOSE_LINE:
            continue
        for text, answer in evidence.statements(at, width):
            shared = sum(any(equal(mine, f) for f in figures_of(text)) for mine in figures)
            scored.append((shared, evidence.likeness(terms, text) + 2 * shared, answer))
    best = max((score for _, score, _ in scored), default=0.0)
    if best < _LEAST_LIKENESS:
        return []
    # The same figures point to the place; of those that have them, the same words.
    most = max(shared for shared, score, _ in scored if score >= best * _CLOSE)
    rivals = [(score - 2 * shared, text) for shared, score, text in scored if shared == most]
    closest = max(score for score, _ in rivals)
    near = [text for score, text in rivals if score >= closest * _CLOSE]
    alike = max((likeness(clause, text) for text in near), default=0.0)
    if alike >= _ALIKE:
        return [text for text in near if likeness(clause, text) == alike]
    return near
