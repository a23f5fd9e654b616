"""What a clause speaks of: the words before what it says, and whether another clause of the passage owns them."""

import re

from furrow.assistants.verifier.evidence import Clause, Evidence, Line
from furrow.assistants.verifier.figures import Figure

# What is said begins at the first of these or at the first figure.
_SAYING = re.compile(
    r"需要|需|必须|须|应当|应|可以|可|能|不|没|未|要|会|是|为(?!期)|由|有|按|每|满|约|共|的话|至少|最|都|也|还|就|只|仅|在|从|到|于|卖|收|付|交|加"
    r"|\b(?:is|are|was|were|be|costs?|can|cannot|can't|may|must|will|shall|should|has|have|do|does|don't|doesn't|needs?|takes?|gets?|comes?|goes|lasts?|opens?|closes?|starts?|ends?|includes?|covers?)\b"
)
# Such a clause goes on about what stood before.
_ANAPHOR = re.compile(r"^\W*(?:both|they|it|these|those|this|each|all|其|此|该|均|各)")
_SAME, _OWNED, _VERY, _NAMED = 0.5, 0.6, 0.9, 0.34
_LEAST = 0.8


def subject_of(text: str, figures: tuple[Figure, ...], offset: int = 0) -> str:
    """The words of a clause before its verb or its first figure; empty where it goes on about something else."""
    if _ANAPHOR.match(text):
        return ""
    ends = [found.start()] if (found := _SAYING.search(text)) else []
    ends += [figures[0].start - offset] if figures else []
    return text[: min(ends)] if ends else ""


def owned_elsewhere(
    subject: str, context: str, holder: Clause, figure: Figure, line: Line, evidence: Evidence
) -> bool:
    """Whether the passage gives the figure of `holder` to something that `context` does not name, and speaks of the
    subject in another clause.
    """
    terms = evidence.terms(subject)
    total = evidence.likeness(terms, subject)
    if total < _LEAST:
        return False
    before = [clause for clause in line.clauses if clause.start < holder.start]
    owner = _own(holder) if evidence.terms(_own(holder)) else " ".join(map(_own, before))
    reach = line.text if " | " in line.text else f"{evidence.heading} {holder.text} {owner}"
    theirs = evidence.terms(owner)
    shared = evidence.plain_likeness(evidence.terms(context), owner)
    if theirs and shared >= _NAMED * evidence.likeness(theirs, owner):
        return False
    for rival in _rivals(holder, figure, line, evidence, is_named=bool(theirs)):
        held = evidence.plain_likeness(terms, _own(rival) or rival.text)
        # What stands there in the very words needs no synonym.
        of_it = evidence.plain_likeness if held >= _VERY * total else evidence.likeness
        if held >= _OWNED * total and of_it(terms, reach) < _SAME * total:
            return True
    return False


def _rivals(
    holder: Clause, figure: Figure, line: Line, evidence: Evidence, *, is_named: bool
) -> list[Clause]:
    """The clauses that could own the subject instead. What opens a sentence is spoken of to its end, unless it has
    a figure of this sort itself.
    """
    found = []
    for each in evidence.lines:
        for clause in each.clauses:
            has_such = any((f.kind, f.unit) == (figure.kind, figure.unit) for f in clause.figures)
            is_free = is_named and (each is not line or clause.start > holder.start)
            if clause is not holder and (is_free or (each is line and has_such)):
                found.append(clause)
    return found


def _own(clause: Clause) -> str:
    return subject_of(clause.text, clause.figures, clause.start)
