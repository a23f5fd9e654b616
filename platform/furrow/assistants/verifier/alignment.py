"""The one statement of a passage that an atom of the claim comes from, and how well it carries it."""

from collections.abc import Sequence
from dataclasses import dataclass

from furrow.assistants.verifier.cues import polarity
from furrow.assistants.verifier.figures import Figure
from furrow.assistants.verifier.held_figures import equal, units_agree
from furrow.assistants.verifier.statements import Atom, Statement, Statements, beside
from furrow.assistants.verifier.words import Token, tokens_of

_FIGURE = 1.5
# Of two places as good the one that says yes or no as the claim does.
_SAME_TONE = 1.12
_RARE_ENOUGH = 0.34
_COMMON, _RARE = 0.3, 1.0
_CARRIED, _HEADED = 0.6, 0.2


@dataclass(frozen=True)
class Aligned:
    """`second` is the best score of another sentence's statement."""

    atom: Atom
    statement: Statement
    score: float
    second: float


def aligned(atom: Atom, statements: Statements) -> Aligned:
    tone = polarity(atom.text)
    scored = [
        (fit(atom, statement, statements) * (_SAME_TONE if statement.tone == tone else 1.0), n)
        for n, statement in enumerate(statements.all)
    ]
    score, at = max(scored, key=lambda pair: (pair[0], -pair[1]))
    best = statements.all[at]
    second = max((s for s, n in scored if statements.all[n].line != best.line), default=0.0)
    return Aligned(atom, best, score, second)


def fit(atom: Atom, statement: Statement, statements: Statements) -> float:
    """How much of the atom's content the statement has, what few statements have counting most."""
    shared = sum(any(equal(f, known) for known in statement.figures) for f in atom.figures)
    return words_fit(atom, statement, statements) + _FIGURE * shared


def words_fit(atom: Atom, statement: Statement, statements: Statements) -> float:
    total = 0.0
    for token in atom.tokens:
        held = statement.wide.support(token)
        if held < 1:
            held = max(held, _CARRIED * statement.carried.support(token))
        if held < _HEADED:
            held = max(held, _HEADED * statements.heading.support(token))
        if held:
            total += token.weight * held * (_COMMON + _RARE * statements.rarity(token))
    return total


def figure_margins(atom: Atom, statements: Statements) -> list[float]:
    """For each figure how much better the words of its statement fit than those of a statement with another figure
    of its kind: below zero it is probably given to something else.
    """
    margins = []
    fits: dict[int, float] = {}
    for figure in atom.figures:
        if figure.is_one:
            continue
        equals, others = [], []
        for n, statement in enumerate(statements.all):
            kinds = [known for known in statement.figures if _same_kind(figure, known)]
            if not kinds:
                continue
            if n not in fits:
                fits[n] = words_fit(atom, statement, statements)
            if any(equal(figure, known) for known in kinds):
                equals.append(fits[n])
            elif not any(equal(mine, known) for mine in atom.figures for known in kinds):
                others.append(fits[n])
        if equals:
            margins.append(max(equals) - max(others, default=0.0))
        else:
            margins.append(-5.0)
    return margins


def local_fits(atom: Atom, statements: Statements) -> list[float]:
    """For each figure of the atom how much of the words beside it stand beside an equal one in the passage."""
    fits = []
    for at, figure in enumerate(atom.figures):
        tokens = tokens_of(beside(atom.text, atom.offset, atom.figures, at))
        weight = sum(token.weight for token in tokens)
        if not weight or figure.is_one:
            continue
        best = 0.0
        for statement in statements.all:
            for n, known in enumerate(statement.figures):
                if equal(figure, known):
                    keys = statements.beside(statement, n)
                    held = sum(t.weight * keys.support(t) for t in tokens)
                    best = max(best, held / weight)
        fits.append(best)
    return fits


def figure_gaps(atom: Atom, statements: Statements) -> list[float]:
    """How far apart in the passage the figures of one atom lie."""
    places = [_places(f, statements) for f in atom.figures if not f.is_one]
    return [
        min(statements.gap(one, other) for one in left for other in right)
        for n, left in enumerate(places)
        for right in places[n + 1 :]
        if left and right
    ]


def crossed(atoms: Sequence[Atom], statements: Statements) -> int:
    """Pairs of atoms that both mix what the same two statements say apart: the sign of roles that changed places."""
    visits = []
    for atom in atoms:
        own = [p for t in atom.tokens if len(p := statements.places(t)) == 1]
        own += [p for f in atom.figures if len(p := _places(f, statements)) == 1]
        visits.append({n for places in own for n in places})
    return sum(len(left & right) > 1 for n, left in enumerate(visits) for right in visits[n + 1 :])


def swap_gain(atoms: Sequence[Atom], statements: Statements) -> float:
    """How much better two atoms would fit if their figures changed places; zero without such a pair."""
    gains = [0.0]
    for n, left in enumerate(atoms):
        for right in atoms[n + 1 :]:
            for one in left.figures:
                for other in right.figures:
                    if _same_kind(one, other) and not equal(one, other):
                        gains.append(_gain(left, one, right, other, statements))
    return max(gains, key=abs)


def _gain(left: Atom, one: Figure, right: Atom, other: Figure, statements: Statements) -> float:
    mine, theirs = set(left.tokens) - set(right.tokens), set(right.tokens) - set(left.tokens)

    def held(tokens: set[Token], figure: Figure) -> float:
        return max(
            (
                sum(t.weight * keys.support(t) * statements.rarity(t) for t in tokens)
                for statement in statements.all
                for at, known in enumerate(statement.figures)
                if equal(figure, known)
                for keys in [statements.beside(statement, at)]
            ),
            default=0.0,
        )

    claimed = held(mine, one) + held(theirs, other)
    return held(mine, other) + held(theirs, one) - claimed


def _places(figure: Figure, statements: Statements) -> set[int]:
    return {
        n
        for n, statement in enumerate(statements.all)
        if any(equal(figure, known) for known in statement.figures)
    }


def bindings(atom: Atom, statements: Statements) -> list[float]:
    """How far apart in the passage things lie that stand side by side in the atom: 0 in one statement."""
    anchors = [
        places
        for token in atom.tokens
        if statements.rarity(token) >= _RARE_ENOUGH and (places := statements.places(token))
    ]
    anchors += [
        places
        for figure in atom.figures
        if not figure.is_one and (places := _places(figure, statements))
    ]
    return [
        min(statements.gap(one, other) for one in left for other in right)
        for left, right in zip(anchors, anchors[1:], strict=False)
    ]


def _same_kind(figure: Figure, known: Figure) -> bool:
    return equal(figure, known) or (
        figure.kind == known.kind and units_agree(figure.unit, known.unit)
    )


def lost_figures(atoms: Sequence[Atom], statement: Statement) -> int:
    """Figures of the statement that the claim does not tell though it tells another of the same kind."""
    mine = [figure for atom in atoms for figure in atom.figures]
    lost = 0
    for known in statement.figures:
        rivals = [figure for figure in mine if _same_kind(figure, known)]
        lost += bool(rivals) and not any(equal(figure, known) for figure in rivals)
    return lost
