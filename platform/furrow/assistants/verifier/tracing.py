"""The way a sentence goes through its passage: word for word each finds the place it was taken from, so that a sentence
close to its source shows as a few long runs, and one that joins what stands apart as leaps.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from furrow.assistants.verifier.evidence import Evidence
from furrow.assistants.verifier.figures import Figure, figures_of
from furrow.assistants.verifier.held_figures import equal
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.words import general_en, general_spans
from furrow.knowledge.text.stemming import root
from furrow.knowledge.text.synonyms import unified

# A figure's place in the text while words are made one, outside every script.
_MARK = 0xE000
_SYMBOL = re.compile(r"[\ue000-\uf8ff]|[\u3400-\u9fff]|[a-z][a-z']*")
_CLAUSE_END = re.compile(r"[,;。!?|\n]|:(?!\d)|\.(?=\s|$)")
_ANY_MARK = re.compile(r"[\ue000-\uf8ff]")
_PART_END = re.compile(r"[;。!?\n]|\.(?=\s|$)")
# What a step costs: to leave a word or a figure unplaced, to go on elsewhere. Ahead in the clause is cheapest.
_UNPLACED, _NO_FIGURE, _AHEAD, _CLAUSE, _BACK, _LINE = 1.0, 2.5, 0.3, 0.5, 0.9, 1.4
_PER_SKIPPED, _MOST_CARRIED = 0.02, 8
# Of a word that stands everywhere only so many places are tried, or one that repeats itself would cost seconds.
_MOST_PLACES = 24


@dataclass(frozen=True)
class Symbol:
    """A word, a character or a figure. `clause` and `part` count through the whole text, a part being what ends with a
    semicolon or a full stop.
    """

    text: str
    figure: Figure | None
    clause: int
    part: int
    line: int


@dataclass(frozen=True)
class Said:
    """A clause as it stands, figures aside."""

    text: str
    part: int


@dataclass(frozen=True)
class Placed:
    """A symbol of the sentence with its place in the passage; -1 for none."""

    symbol: Symbol
    at: int


class Trail:
    """A passage as one run of symbols."""

    def __init__(self, evidence: Evidence) -> None:
        self.symbols: list[Symbol] = []
        self.clauses: list[Said] = []
        for line, text in enumerate(evidence.texts):
            found, clauses = _symbols_of(text, len(self.clauses), line)
            self.symbols += found
            self.clauses += clauses

    @cached_property
    def _index(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for at, symbol in enumerate(self.symbols):
            found.setdefault(symbol.text, []).append(at)
        return found

    @cached_property
    def _figures(self) -> list[tuple[int, Figure]]:
        return [(at, s.figure) for at, s in enumerate(self.symbols) if s.figure]

    def places(self, symbol: Symbol) -> Sequence[int]:
        mine = symbol.figure
        if mine is None:
            return self._index.get(symbol.text, ())
        return [at for at, known in self._figures if equal(mine, known)]

    def of(self, sentence: str) -> list[Placed]:
        """The cheapest way: one state for each place the last placed symbol may have."""
        symbols, _ = _symbols_of(sentence, 0, 0)
        states: dict[int, tuple[float, tuple[int, ...]]] = {-1: (0.0, ())}
        for symbol in symbols:
            reached: dict[int, tuple[float, tuple[int, ...]]] = {}
            lost = _UNPLACED if symbol.figure is None else _NO_FIGURE
            for at in self._tried(symbol, states):
                cost, before = min((c + self._step(last, at), w) for last, (c, w) in states.items())
                reached[at] = (cost, (*before, at))
            carried = sorted(states.items(), key=lambda state: state[1][0])[:_MOST_CARRIED]
            for last, (cost, before) in carried:
                if last not in reached or reached[last][0] > cost + lost:
                    reached[last] = (cost + lost, (*before, -1))
            states = reached
        _, way = min(states.values())
        return [Placed(symbol, at) for symbol, at in zip(symbols, way, strict=True)]

    def _tried(self, symbol: Symbol, states: Iterable[int]) -> Sequence[int]:
        places = self.places(symbol)
        if len(places) <= _MOST_PLACES:
            return places
        going_on = {last + 1 for last in states}
        return sorted(places, key=lambda at: at not in going_on)[:_MOST_PLACES]

    def _step(self, last: int, at: int) -> float:
        if last < 0 or at == last + 1:
            return 0.0
        one, other = self.symbols[last], self.symbols[at]
        if one.line != other.line:
            return _LINE
        skipped = _PER_SKIPPED * abs(at - last)
        if at <= last:
            return _BACK + skipped
        return (_AHEAD if one.clause == other.clause else _CLAUSE) + skipped


def _symbols_of(text: str, first: int, line: int) -> tuple[list[Symbol], list[Said]]:
    """The content of a text in its order and its clauses, counted from `first` on."""
    figures = figures_of(text)[: 0xF8FF - _MARK]
    said = unified(_marked(normal(text), figures))
    general = general_spans(said)
    symbols: list[Symbol] = []
    clauses: list[Said] = []
    start, part = 0, first
    for end in [*(match.end() for match in _CLAUSE_END.finditer(said)), len(said)]:
        if not _SYMBOL.search(said, start, end):
            continue
        number = first + len(clauses)
        for match in _SYMBOL.finditer(said, start, end):
            if (word := _content(match, general)) is not None:
                mark = ord(match[0][0]) - _MARK
                figure = figures[mark] if 0 <= mark < len(figures) else None
                symbols.append(Symbol(word, figure, number, part, line))
        clauses.append(Said(_ANY_MARK.sub("1", said[start:end]), part))
        part = number + 1 if _PART_END.search(said, start, end) else part
        start = end
    return symbols, clauses


def _marked(said: str, figures: Sequence[Figure]) -> str:
    """With one character for each figure."""
    said = _ANY_MARK.sub(" ", said)
    for n in range(len(figures) - 1, -1, -1):
        figure = figures[n]
        if not n or figures[n - 1].end <= figure.start:
            said = f"{said[: figure.start]}{chr(_MARK + n)}{said[figure.end :]}"
    return said


def _content(match: re.Match[str], general: frozenset[int]) -> str | None:
    word = match[0]
    if not word.isascii():
        return None if match.start() in general else word
    bare = word.removesuffix("'s").replace("'", "")
    if len(bare) < 2 or bare in general_en() or root(bare) in general_en():
        return None
    return root(bare)


def runs(placed: Iterable[Placed]) -> list[list[Placed]]:
    """The stretches that stand in the passage as they do in the sentence."""
    found: list[list[Placed]] = []
    for each in placed:
        if each.at < 0:
            continue
        if found and each.at == found[-1][-1].at + 1:
            found[-1].append(each)
        else:
            found.append([each])
    return found
