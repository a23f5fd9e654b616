"""A passage made ready to judge sentences by."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from furrow.assistants.verifier.figures import Figure, figures_of
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.other_words import widened
from furrow.assistants.verifier.words import Words, general_en, words_of
from furrow.knowledge.sentences import split_sentences
from furrow.knowledge.text.folding import fold
from furrow.knowledge.text.stopwords import ENGLISH_STOP_WORDS

_CLAUSE_END = re.compile(
    r"[,;。!?](?!\d{3}(?!\d))|:(?!\d)(?! )|\.(?=\s)|\n|(?<!\d )\band\b(?! [b-z]\b| a\b(?! [a-z]{2}))|\b(?:but|which|because|while|whereas|however|so that)\b|而且|并且|但是|不过"
)
# "batteries, weapons and cash are", "seeds and bulbs cannot": the members of a list share what is said of them.
_ITEM = r"(?:[a-z][a-z'-]+)(?: [a-z][a-z'-]+)?"
_LIST = re.compile(
    rf"(?<![a-z\d])(?<!\d ){_ITEM}(?:, {_ITEM})+,? (?:and|or) [a-z]+|(?:^|[,;.] ?){_ITEM} and {_ITEM}(?= (?:is|are|was|were|can|cannot|can't|may|must|will|have|do|don't)\b)"
)
_NUMBERED = re.compile(r"^\s*(?:[•·*-]|\d{1,2}(?:\.\d{1,2})*[.)、]?)\s+")
# A column of prices names its currency above the figures.
_MONEY_COLUMN = re.compile(r"\b(?:cny|rmb|yuan)\b|[(]元|元[)/]|[¥]")
_NO_ITEM = ENGLISH_STOP_WORDS - {"and", "or"}
_CELL_END = re.compile(r" \| |\n")


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
    def figures(self) -> tuple[Figure, ...]:
        return tuple(
            figure
            for text in [self.heading, *self.texts]
            for clause in clauses_of(text)
            for figure in clause.figures
        )

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]

    def holds_verbatim(self, sentence: str) -> bool:
        """Whether the sentence is one of the passage's, a number of its clause aside. A part of one is not enough:
        "you may" stands in "under no circumstances you may".
        """
        said = _bare(sentence)
        return bool(said) and any(
            said in {_bare(text), _bare(_NUMBERED.sub("", text))} for text in self.texts
        )

    def around(self, at: int) -> str:
        """The sentence with its neighbours and the headings."""
        near = self.lines[max(0, at - 1) : at + 2]
        return "\n".join([self.heading, *(line.text for line in near)])

    @cached_property
    def said(self) -> str:
        return normal(self.whole)

    def terms(self, text: str) -> frozenset[str]:
        """The pairs, words and labels of a text that the passage knows."""
        words = words_of(text)
        known = frozenset(self._frequencies)
        return (words.pairs | words.roots) & known - general_en()

    def likeness(self, terms: frozenset[str], text: str) -> float:
        """How many of the terms the text has, those that tell most apart counting most."""
        words = wide_words_of(text)
        return sum(1 / self._frequencies[term] for term in terms & (words.pairs | words.roots))

    def plain_likeness(self, terms: frozenset[str], text: str) -> float:
        """The same by the words that stand there, without what else they prove."""
        words = words_of(text)
        return sum(1 / self._frequencies[term] for term in terms & (words.pairs | words.roots))

    @cached_property
    def _frequencies(self) -> Counter[str]:
        clauses = [wide_words_of(clause.text) for line in self.lines for clause in line.clauses]
        return Counter(term for words in clauses for term in words.pairs | words.roots)


@lru_cache(maxsize=4096)
def wide_words_of(text: str) -> Words:
    return widened(words_of(text), text)


def _bare(text: str) -> str:
    return re.sub(r"[\s。.!！]+$", "", " ".join(fold(text).split()))


def clauses_of(text: str) -> tuple[Clause, ...]:
    said = normal(text)
    bounds = [0]
    pattern = _CELL_END if " | " in said else _CLAUSE_END
    lists = [match.span() for match in _LIST.finditer(said) if _is_list(match[0])]
    for match in pattern.finditer(said):
        if not any(start < match.start() and match.end() <= end for start, end in lists):
            bounds.append(match.end())
    bounds.append(len(said))
    figures = figures_of(text)
    found = []
    for start, end in zip(bounds, bounds[1:], strict=False):
        if said[start:end].strip():
            inside = tuple(f for f in figures if start <= f.start < end)
            if pattern is _CELL_END and _MONEY_COLUMN.search(said[start:end]):
                inside = tuple(replace(f, unit=f.unit or "yuan") for f in inside)
            found.append(Clause(said[start:end], start, end, inside))
    return tuple(found)


def _is_list(text: str) -> bool:
    """Whether it names things: no verb, no pronoun, nothing that opens a clause."""
    words = re.findall(r"[a-z']+", text)
    return not any(word in _NO_ITEM for word in words)
