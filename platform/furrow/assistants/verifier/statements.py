"""A passage as statements, each with the subject it goes on about, and a claim as atoms to hold against them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from furrow.assistants.verifier.cues import cues_of, negations, polarity
from furrow.assistants.verifier.evidence import Clause, Evidence, clauses_of, wide_words_of
from furrow.assistants.verifier.figures import Figure, figures_of
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.scope import scoped
from furrow.assistants.verifier.tracing import Trail
from furrow.assistants.verifier.words import Token, Words, tokens_of, words_of

_LISTED = re.compile("、")
_LEAST_ATOM = 3.0
# Small words that leave what is said as it is.
_SMALL_CUES = frozenset({"also", "if"})
# What a clause must not bring for the ones before it to hold without it.
_CONDITIONS = frozenset(
    {"if", "except", "only", "need", "may_not", "before", "after", "free", "pay"}
)
_RESET = re.compile(r"[;；]\s*$")
_PREFIX = 5


@dataclass(frozen=True)
class Keys:
    """What a token may be found by: `strong` proves it, `weak` proves half of it."""

    strong: frozenset[str]
    weak: frozenset[str]

    def __or__(self, other: "Keys") -> "Keys":
        return Keys(self.strong | other.strong, self.weak | other.weak)

    def support(self, token: Token) -> float:
        if not token.strong.isdisjoint(self.strong):
            return 1.0
        return token.weak_share if not token.weak.isdisjoint(self.weak) else 0.0


NOTHING = Keys(frozenset(), frozenset())


@dataclass(frozen=True)
class Statement:
    """One clause of the passage. `carried` is what it goes on about: the opening of its sentence and the clause
    before it.
    """

    text: str
    line: int
    figures: tuple[Figure, ...]
    offset: int
    own: Keys
    wide: Keys
    carried: Keys
    carried_text: str

    @cached_property
    def tone(self) -> str:
        return polarity(self.text)

    @property
    def reach(self) -> Keys:
        return self.wide | self.carried


@dataclass(frozen=True)
class Atom:
    """A piece of the claim that says one thing."""

    text: str
    figures: tuple[Figure, ...]
    tokens: tuple[Token, ...]
    offset: int = 0

    @cached_property
    def weight(self) -> float:
        return sum(token.weight for token in self.tokens)

    def share(self, keys: Keys) -> float:
        if not self.weight:
            return 1.0
        return sum(t.weight * keys.support(t) for t in self.tokens) / self.weight

    def novel(self, keys: Keys) -> list[Token]:
        return [token for token in self.tokens if not keys.support(token)]


class Statements:
    """All that a passage says, made ready once."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._beside: dict[tuple[int, int], Keys] = {}
        self.heading = keys_of(wide_words_of(evidence.heading))
        self.all = [s for at in range(len(evidence.lines)) for s in self._of_line(at)]
        self.lines = [keys_of(wide_words_of(line.text)) for line in evidence.lines]

    def _of_line(self, at: int) -> Iterable[Statement]:
        line = self.evidence.lines[at]
        clauses = line.clauses
        if " | " in line.text:
            # A row of a table says one thing, its first cells name what.
            clauses = (_whole(clauses),)
        else:
            clauses = tuple(part for clause in clauses for part in _listed(clause))
        first = 0
        for number, clause in enumerate(clauses):
            if number and _RESET.search(clauses[number - 1].text):
                first = number
            before = [clauses[n] for n in dict.fromkeys([first, number - 1]) if first <= n < number]
            text = "".join(c.text for c in before)
            yield Statement(
                clause.text,
                at,
                clause.figures,
                clause.start,
                keys_of(words_of(clause.text)),
                keys_of(wide_words_of(clause.text)),
                keys_of(wide_words_of(text)) if text else NOTHING,
                text,
            )

    def copies(self, sentence: str) -> bool:
        """Whether the sentence says a line of the passage again, or whole clauses of one from its start on, with
        nothing changed but words that carry no content.
        """
        mine = _print_of(sentence)
        return self.evidence.holds_verbatim(sentence) or any(
            mine == theirs for theirs in self._prints
        )

    @cached_property
    def _prints(self) -> set[tuple[object, ...]]:
        """Of every line, and of what stands before its last clauses where those set no condition."""
        found = set()
        for line in self.evidence.lines:
            found.add(_print_of(line.text))
            said = normal(line.text)
            for n in range(len(line.clauses) - 1, 0, -1):
                start = line.clauses[n].start
                if cues_of(said[start:]) & _CONDITIONS or negations(said[start:]):
                    break
                if " | " not in said:
                    found.add(_print_of(said[:start]))
        return found

    @cached_property
    def trail(self) -> Trail:
        return Trail(self.evidence)

    @cached_property
    def whole(self) -> Keys:
        return keys_of(self.evidence.words)

    @cached_property
    def frequencies(self) -> Counter[str]:
        return Counter(key for s in self.all for key in s.wide.strong)

    def rarity(self, token: Token) -> float:
        """1 for what a single statement says, less for what many say, 0 for what none does."""
        counts = [self.frequencies[key] for key in token.strong if key in self.frequencies]
        return 1.0 / min(counts) if counts else 0.0

    def beside(self, statement: Statement, at: int) -> Keys:
        key = (id(statement), at)
        if key not in self._beside:
            text = beside(statement.text, statement.offset, statement.figures, at)
            self._beside[key] = keys_of(wide_words_of(text)) | statement.carried
        return self._beside[key]

    def places(self, token: Token) -> set[int]:
        return {n for key in token.strong for n in self._index.get(key, ())}

    def gap(self, one: int, other: int) -> float:
        left, right = self.all[one], self.all[other]
        if left.line != right.line:
            return 4.0
        return float(min(abs(one - other), 3))

    @cached_property
    def _index(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for n, statement in enumerate(self.all):
            for key in statement.wide.strong:
                found.setdefault(key, []).append(n)
        return found

    def near(self, at: int) -> Keys:
        keys = self.heading
        for line in self.lines[max(0, at - 1) : at + 2]:
            keys = keys | line
        return keys


def best_line(sentence: str, statements: Statements) -> int:
    """The passage's sentence that holds most of the claim."""
    tokens = tokens_of(sentence)
    figures = {(f.kind, f.value) for f in figures_of(sentence)}

    def held(at: int) -> tuple[float, int]:
        line = statements.lines[at]
        theirs = {(f.kind, f.value) for s in statements.all if s.line == at for f in s.figures}
        words = sum(t.weight * line.support(t) * (0.5 + statements.rarity(t)) for t in tokens)
        return words + 2.0 * len(figures & theirs), -at

    return max(range(len(statements.lines)), key=held)


def _print_of(text: str) -> tuple[object, ...]:
    """The content of a text in its order: two with the same differ in small words alone."""
    tokens = tuple(token.text for token in tokens_of(text))
    figures = tuple((f.kind, f.value, f.unit, f.bound) for f in figures_of(text))
    return tokens, figures, negations(text), cues_of(text) - _SMALL_CUES, scoped(text)[2]


def _listed(clause: Clause) -> Iterable[Clause]:
    """省内2元、省外6元: two things said in one clause, each with its figure."""
    start = clause.start
    for mark in _LISTED.finditer(clause.text):
        at = clause.start + mark.end()
        before = [f for f in clause.figures if start <= f.start < at]
        after = [f for f in clause.figures if f.start >= at]
        if before and after and tokens_of(clause.text[start - clause.start : mark.start()]):
            if tokens_of(clause.text[mark.end() : after[0].start - clause.start]):
                yield Clause(
                    clause.text[start - clause.start : mark.end()], start, at, tuple(before)
                )
                start = at
    rest = tuple(f for f in clause.figures if f.start >= start)
    yield Clause(clause.text[start - clause.start :], start, clause.end, rest)


def _whole(clauses: Sequence[Clause]) -> Clause:
    figures = tuple(figure for clause in clauses for figure in clause.figures)
    text = "".join(clause.text for clause in clauses)
    return Clause(text, clauses[0].start, clauses[-1].end, figures)


@lru_cache(maxsize=8192)
def keys_of(words: Words) -> Keys:
    prefixes = {f"~{r[:_PREFIX]}" for r in words.roots if len(r) >= _PREFIX and r.isascii()}
    lone = {char for char in words.characters if len(char) == 2 and char[0] == "="}
    return Keys(
        frozenset(words.pairs | words.roots | words.latin | prefixes | lone), words.characters
    )


@lru_cache(maxsize=1024)
def atoms_of(sentence: str) -> tuple[Atom, ...]:
    """Its clauses, small ones together with the one after."""
    found: list[Atom] = []
    held: list[Clause] = []
    clauses = [part for clause in clauses_of(sentence) for part in _listed(clause)]
    for clause in clauses:
        held.append(clause)
        atom = _atom(held)
        if atom.weight + 2 * len(atom.figures) >= _LEAST_ATOM:
            found.append(atom)
            held = []
    if held:
        rest = _atom(held)
        if found:
            last = found.pop()
            found.append(
                Atom(
                    last.text + rest.text,
                    last.figures + rest.figures,
                    last.tokens + rest.tokens,
                    last.offset,
                )
            )
        else:
            found.append(rest)
    return tuple(found)


def _atom(clauses: Sequence[Clause]) -> Atom:
    text = "".join(clause.text for clause in clauses)
    figures = tuple(figure for clause in clauses for figure in clause.figures)
    return Atom(text, figures, tokens_of(text), clauses[0].start)


def beside(text: str, offset: int, figures: Sequence[Figure], at: int) -> str:
    """The words between a figure's neighbours, itself left out."""
    start = figures[at - 1].end - offset if at else 0
    end = figures[at + 1].start - offset if at + 1 < len(figures) else len(text)
    here = figures[at]
    return f"{text[max(0, start) : here.start - offset]} {text[here.end - offset : max(0, end)]}"
