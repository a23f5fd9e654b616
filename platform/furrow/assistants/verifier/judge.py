"""The verdict on one sentence: does a passage support all it says?"""

import re
from collections import Counter
from dataclasses import dataclass

from rapidfuzz import fuzz

from furrow.assistants.verifier.evidence import Evidence, clauses_of
from furrow.assistants.verifier.figures import Figure, figures_of
from furrow.assistants.verifier.names import unknown_name
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.polarity import (
    denies,
    opposite,
    tone_of,
    unfounded_claim,
    unfounded_commitment,
)
from furrow.assistants.verifier.words import Words, coverage

# Fitted on the developing half of tests/bench/verifier.py.
LEAST_SENTENCE = 0.5
LEAST_CLAUSE = 0.4
LEAST_ADDITION = 0.3
_ADDITION = 2.5
# A clause of less content than this is judged with the whole sentence.
_SMALL = 3.0
# How much better another figure of the same kind must fit the words around before it contradicts.
_MARGIN = 0.8
_LINE_SHARE = 0.6
_FEW_TERMS = 3
_LEAST_LIKENESS = 0.6
_SAME_PLACE = 0.3
_EACH = re.compile(r"每|一(?:年|月|天|份|次)|\b(?:per|each|every|an?)\b")
_SPANS = frozenset({"month", "time", "weight"})
_FREE = re.compile(r"免|\bfree\b|\boptional\b|随意|任选|\bmay\b|可以")
_ONLY = re.compile(r"只|仅|\bonly\b")
_CLOSE_LINE = 0.6
_ALIKE, _COPIED = 80.0, 90.0
_DENIED_FIGURE = re.compile(
    r"(?:不是|并非|不等于|\bnot|n't be|isn't)\s*(?:about|for|the|at|只有)?\s*$"
)
_CLOSE = 0.75
# In a list the later entries leave out what the first one said.
_CARRIED = 0.9
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Verdict:
    """`reason` is empty for a supported sentence; `detail` is what was not found, for staff. `line` is the
    passage's sentence that supports it best, `share` how much of its words the evidence holds.
    """

    reason: str
    detail: str = ""
    line: int = -1
    share: float = 0.0

    @property
    def is_supported(self) -> bool:
        return not self.reason


def judge(sentence: str, evidence: Evidence, *, words_count: bool = True) -> Verdict:
    """The rules in order of how surely they speak; the first that fails decides. Without `words_count` somebody
    else judges whether the words say the same.
    """
    if not evidence.lines:
        return Verdict("no_evidence")
    best = evidence.aligned(sentence)[0][1]
    if evidence.holds_verbatim(sentence):
        return Verdict("", "", best, 1.0)
    share = coverage(sentence, evidence.words).share
    reason, detail = (
        _figures(sentence, evidence)
        or _names(sentence, evidence)
        or (_words(sentence, evidence) if words_count else None)
        or _claims(sentence, evidence)
        or _tones(sentence, evidence)
        or _bindings(sentence, evidence)
        or ("", "")
    )
    return Verdict(reason, detail, best, share)


Failure = tuple[str, str] | None


def _figures(sentence: str, evidence: Evidence) -> Failure:
    said = normal(sentence)
    days = Counter(f.value for f in figures_of(sentence) if f.kind == "date")
    known_days = [f for f in evidence.figures if f.kind == "date"]
    for day, times in days.items():
        held = sum(_dates_agree(Figure("date", day, "", 0, 0), known) for known in known_days)
        if times > max(held, 1):
            return "date_not_in_passage", str(day)
    for figure in figures_of(sentence):
        if figure.kind == "number" and figure.value == 1 and figure.unit in {"count", ""}:
            # "a box" and "one box" say the same.
            continue
        if (
            figure.is_one
            and not (figure.bound or figure.in_range)
            and figure.unit in _SPANS
            and _EACH.search(evidence.said)
        ):
            # "12 a year", "12 for one year", "12 each year".
            continue
        if not any(_equal(figure, known) for known in evidence.figures) and not _stands_as_text(
            figure, evidence
        ):
            return f"{figure.kind}_not_in_passage", str(figure.value)
        if _DENIED_FIGURE.search(said[: figure.start]) and not _denies_figures(evidence):
            return "figure_denied", str(figure.value)
    return None


def _denies_figures(evidence: Evidence) -> bool:
    """Whether the passage itself says of a figure that it is not so."""
    return any(
        _DENIED_FIGURE.search(normal(text)[: figure.start])
        for text in evidence.texts
        for figure in figures_of(text)
    )


def _equal(figure: Figure, known: Figure) -> bool:
    if figure.kind == "date" or known.kind == "date":
        return _dates_agree(figure, known)
    if figure.kind != known.kind:
        return False
    if figure.kind == "contact":
        return figure.value == known.value or str(known.value).startswith(f"{figure.value}/")
    if figure.kind != "number":
        return figure.value == known.value
    return figure.value == known.value and _units_agree(figure.unit, known.unit)


def _units_agree(left: str, right: str) -> bool:
    if left == right or "" in {left, right}:
        return True
    return {left, right} <= {"degree", "age", "count", "times"} and "count" in {left, right}


def _dates_agree(figure: Figure, known: Figure) -> bool:
    if figure.kind == known.kind == "date":
        pairs = zip(figure.value, known.value, strict=True)  # type: ignore[arg-type]
        return all(not said or said == held for said, held in pairs)
    date, other = (figure, known) if figure.kind == "date" else (known, figure)
    # A year may be written without its word.
    return other.kind == "number" and not other.unit and date.value[0] == other.value  # type: ignore[index]


def _stands_as_text(figure: Figure, evidence: Evidence) -> bool:
    if figure.kind in {"code", "contact", "lunar"}:
        bare = re.sub(r"[^a-z0-9\u4e00-\u9fff]", "", str(figure.value))
        codes = {str(known.value) for known in evidence.figures if known.kind == figure.kind}
        return bare in {re.sub(r"[^a-z0-9\u4e00-\u9fff]", "", code) for code in codes}
    return False


def _bounds_agree(figure: Figure, known: Figure) -> bool:
    if not known.bound:
        return figure.bound in {"le", "after"} or known.in_range
    return (figure.bound == "le") == (known.bound == "le")


def _names(sentence: str, evidence: Evidence) -> Failure:
    name = unknown_name(sentence, evidence.words, evidence.whole)
    return ("name_not_in_passage", name) if name else None


def _words(sentence: str, evidence: Evidence) -> Failure:
    whole = coverage(sentence, _window(sentence, evidence))
    if whole.share < LEAST_SENTENCE:
        return "words_not_in_passage", f"{whole.share:.2f} {' '.join(whole.novel[:4])}"
    for clause in _joined(sentence):
        best = evidence.aligned(clause)[0][1]
        held = coverage(clause, evidence.near_words(best))
        if held.weight >= _SMALL and held.share < LEAST_CLAUSE:
            return "words_not_in_passage", f"{held.share:.2f} {' '.join(held.novel[:4])}"
    return _small_addition(sentence, evidence) or _changed_copy(sentence, evidence)


def _small_addition(sentence: str, evidence: Evidence) -> Failure:
    """A few words hung on to a good sentence, of which the passage knows nothing."""
    for clause in clauses_of(sentence):
        held = coverage(clause.text, evidence.near_words(evidence.aligned(clause.text)[0][1]))
        if held.weight >= _ADDITION and held.share < LEAST_ADDITION:
            return "words_not_in_passage", " ".join(held.novel[:4])
    return None


def _changed_copy(sentence: str, evidence: Evidence) -> Failure:
    """A sentence copied but for a word that the original does not have: the word is the whole difference."""
    said = normal(sentence)
    for line in evidence.lines:
        if _likeness(said, normal(line.text)) >= _COPIED:
            held = coverage(sentence, line.words)
            if held.weight - held.held >= _ADDITION and held.novel:
                return "words_not_in_passage", " ".join(held.novel[:4])
    return None


def _window(sentence: str, evidence: Evidence) -> Words:
    """The places of the passage that the sentence's clauses point to."""
    words = evidence.near_words(evidence.aligned(sentence)[0][1])
    for clause in _joined(sentence):
        words = words | evidence.near_words(evidence.aligned(clause)[0][1])
    return words


def _joined(sentence: str) -> list[str]:
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


def _claims(sentence: str, evidence: Evidence) -> Failure:
    places = {evidence.aligned(clause)[0][1] for clause in [sentence, *_joined(sentence)]}
    # What stands under a question answers it.
    places |= {at + 1 for at in places if evidence.is_question(at) and at + 1 < len(evidence.lines)}
    near = "\n".join(evidence.around(at) for at in sorted(places))
    own = "\n".join([evidence.heading, *(evidence.texts[at] for at in sorted(places))])
    if group := unfounded_claim(sentence, own):
        return "claim_not_in_passage", group
    if promise := unfounded_commitment(sentence, near):
        return "promise_not_in_passage", promise
    return None


def _tones(sentence: str, evidence: Evidence) -> Failure:
    if word := opposite(sentence, evidence.whole, is_near=False):
        return "opposite_word", word
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
    if not tone_of(clause).is_negated or any(_likeness(clause, text) >= _ALIKE for text in near):
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
    if _likeness(clause, theirs) >= _ALIKE:
        # Nearly the same words: one negation more or less is the whole difference.
        return (mine.negations, mine.needs_nothing) == (held.negations, held.needs_nothing)
    if mine.needs_nothing:
        return held.needs_nothing or held.is_negated or bool(_FREE.search(normal(theirs)))
    if held.needs_nothing:
        return mine.is_negated or not mine.needs
    if mine.is_negated == held.is_negated:
        return True
    return not mine.is_negated and not denies(theirs, clause)


def _likeness(left: str, right: str) -> float:
    return fuzz.ratio(re.sub(r"\W", "", left), re.sub(r"\W", "", right))


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
            shared = sum(any(_equal(mine, f) for f in figures_of(text)) for mine in figures)
            scored.append((shared, evidence.likeness(terms, text) + 2 * shared, answer))
    best = max((score for _, score, _ in scored), default=0.0)
    if best < _LEAST_LIKENESS:
        return []
    # The same figures point to the place; of those that have them, the same words.
    most = max(shared for shared, score, _ in scored if score >= best * _CLOSE)
    rivals = [(score - 2 * shared, text) for shared, score, text in scored if shared == most]
    closest = max(score for score, _ in rivals)
    near = [text for score, text in rivals if score >= closest * _CLOSE]
    alike = max((_likeness(clause, text) for text in near), default=0.0)
    if alike >= _ALIKE:
        return [text for text in near if _likeness(clause, text) == alike]
    return near


def _bindings(sentence: str, evidence: Evidence) -> Failure:
    small = ""
    for clause in clauses_of(sentence):
        context = f"{small}{clause.text}"
        for figure in clause.figures:
            if figure.kind in {"number", "time", "date"} and not _is_bound(
                context, figure, sentence, evidence
            ):
                return "figure_of_another", f"{figure.value}"
        small = context if len(evidence.terms(context)) < _FEW_TERMS else ""
    return None


def _is_bound(context: str, figure: Figure, sentence: str, evidence: Evidence) -> bool:
    """Whether no other figure of its kind fits the words around it much better than its equals do."""
    mine = figures_of(context)
    near, far = evidence.terms(context), evidence.terms(sentence)
    equals: list[tuple[float, Figure]] = []
    other = -1.0
    for line in evidence.lines:
        whole = evidence.likeness(far, line.text)
        first = 0.0
        for number, theirs in enumerate(line.clauses):
            own = evidence.likeness(near, theirs.text)
            fit = own + _CARRIED * first + _LINE_SHARE * whole
            first = own if number == 0 else first
            for known in theirs.figures:
                if known.kind != figure.kind or not _units_agree(known.unit, figure.unit):
                    continue
                if _equal(figure, known):
                    equals.append((fit, known))
                elif known.unit in {figure.unit, ""} and not any(_equal(f, known) for f in mine):
                    other = max(other, fit)
    if not equals:
        return True
    best = max(fit for fit, _ in equals)
    nearest = [known for fit, known in equals if fit >= best - _SAME_PLACE]
    if figure.bound and not any(_bounds_agree(figure, known) for known in nearest):
        return False
    return other - best <= _MARGIN
