"""A passage made ready to judge sentences by."""

import re
from dataclasses import dataclass
from functools import cached_property

from furrow.assistants.verifier.bilingual import widened
from furrow.assistants.verifier.figures import Figure, figures_of
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.words import Words, coverage, words_of
from furrow.knowledge.sentences import split_sentences

_CLAUSE_END = re.compile(
    r"[,;。!?、](?!\d{3}(?!\d))|:(?!\d)|\.(?=\s)| \| |\n|\b(?:and|but|which|because|while|whereas|however|so that)\b|而且|并且|但是|不过"
)


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence's normal text, with the figures that stand in it."""

    text: str
    start: int
    end: int
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Line:
    """A sentence of the passage; offsets are of the passage's own text."""

    text: str
    start: int
    end: int

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        return clauses_of(self.text)

    @cached_property
    def words(self) -> Words:
        return widened(words_of(self.text), self.text)


class Evidence:
    """One passage: its sentences, and the title and headings above it, which prove words but are not quoted."""

    def __init__(self, text: str, heading: str = "") -> None:
        self.text, self.heading = text, heading
        self.lines = [Line(text[start:end], start, end) for start, end in split_sentences(text)]
        self.whole = f"{heading}\n{text}"

    @cached_property
    def words(self) -> Words:
        return widened(words_of(self.whole), self.whole)

    @cached_property
    def heading_words(self) -> Words:
        return widened(words_of(self.heading), self.heading)

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        return tuple(figure for line in [self.heading, *self.texts] for figure in figures_of(line))

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]

    def around(self, at: int) -> str:
        """The sentence with its neighbours and the headings."""
        near = self.lines[max(0, at - 1) : at + 2]
        return "\n".join([self.heading, *(line.text for line in near)])

    def near_words(self, at: int) -> Words:
        words = self.heading_words
        for line in self.lines[max(0, at - 1) : at + 2]:
            words = words | line.words
        return words

    def aligned(self, claim: str) -> list[tuple[float, int]]:
        """How much of the claim each sentence holds, the best first."""
        scores = []
        for at, line in enumerate(self.lines):
            own = coverage(claim, line.words).held
            near = coverage(claim, self.heading_words | line.words).held
            scores.append((own + 0.3 * (near - own) + 0.4 * _shared(claim, line), at))
        return sorted(scores, key=lambda pair: (-pair[0], pair[1]))


def _shared(claim: str, line: Line) -> float:
    """Figures that both name: they point to the place more surely than words."""
    theirs = {(f.kind, f.value) for f in figures_of(line.text)}
    return sum((f.kind, f.value) in theirs for f in figures_of(claim))


def clauses_of(text: str) -> tuple[Clause, ...]:
    said = normal(text)
    bounds = [0]
    for match in _CLAUSE_END.finditer(said):
        bounds.append(match.end())
    bounds.append(len(said))
    figures = figures_of(text)
    found = []
    for start, end in zip(bounds, bounds[1:], strict=False):
        if said[start:end].strip():
            inside = tuple(f for f in figures if start <= f.start < end)
            found.append(Clause(said[start:end], start, end, inside))
    return tuple(found)
