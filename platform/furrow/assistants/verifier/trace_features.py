"""What the way of a sentence through its passage tells, as numbers."""

from furrow.assistants.verifier.cues import cues_of, negations
from furrow.assistants.verifier.statements import Statements
from furrow.assistants.verifier.tracing import Placed, Symbol, runs

# A clause left out that says one of these may take back what stands beside it.
_LIMITS = ("except", "only", "if", "need", "may_not", "free", "pay", "most", "least", "included")
# So many words before a figure are asked whether it is theirs; so many open a clause.
_LOOK, _HEAD = 6, 2
# And so many words of a sentence tell what it begins with.
_OPENING = 3
# What a sentence must neither bring nor lose against the clauses it was taken from.
_TURNS = (*_LIMITS, "may", "no_need", "all", "always", "before", "after", "promise", "full")


def trace_features(sentence: str, statements: Statements) -> dict[str, float]:
    placed = statements.trail.of(sentence)
    found = _runs(placed) | _leaps(placed, statements) | _figures(placed, statements)
    found |= _entries(placed, statements)
    found["swapped_shares"] = _swapped_shares(placed, statements)
    found |= _left_out(placed, statements) | _turned(sentence, placed, statements)
    return {f"trace_{name}": value for name, value in found.items()}


def _runs(placed: list[Placed]) -> dict[str, float]:
    stretches = runs(placed)
    total = max(1, len(placed))
    lone = sum(len(run) == 1 and run[0].symbol.figure is None for run in stretches)
    return {
        "unplaced": float(sum(each.at < 0 for each in placed)),
        "unplaced_share": sum(each.at < 0 for each in placed) / total,
        "runs": float(len(stretches)),
        "runs_share": len(stretches) / total,
        "longest": max((len(run) for run in stretches), default=0) / total,
        "lone": lone / total,
    }


def _leaps(placed: list[Placed], statements: Statements) -> dict[str, float]:
    symbols = statements.trail.symbols
    at = [each.at for each in placed if each.at >= 0]
    pairs = [(one, other) for one, other in zip(at, at[1:], strict=False) if other != one + 1]
    same_line = [(a, b) for a, b in pairs if symbols[a].line == symbols[b].line]
    ahead = [(a, b) for a, b in same_line if b > a]
    skipped = [symbols[a + 1 : b] for a, b in ahead]
    return {
        "back": float(sum(b <= a for a, b in same_line)),
        "line_leaps": float(len(pairs) - len(same_line)),
        "lines": float(len({symbols[each].line for each in at})),
        "parts": float(len({symbols[each].part for each in at})),
        "clause_leaps": float(sum(symbols[a].clause != symbols[b].clause for a, b in pairs)),
        "part_leaps": float(sum(symbols[a].part != symbols[b].part for a, b in pairs)),
        "skipped": float(sum(map(len, skipped))),
        "skipped_most": float(max(map(len, skipped), default=0)),
        "skipped_figures": float(sum(s.figure is not None for each in skipped for s in each)),
        "skipped_in_clause": float(
            sum(b - a - 1 for a, b in ahead if symbols[a].clause == symbols[b].clause)
        ),
        # Within one clause of the sentence what it says belongs together.
        "torn": float(_torn(placed, statements)),
    }


def _torn(placed: list[Placed], statements: Statements) -> int:
    symbols = statements.trail.symbols
    known = [each for each in placed if each.at >= 0]
    return sum(
        one.symbol.clause == other.symbol.clause and symbols[one.at].part != symbols[other.at].part
        for one, other in zip(known, known[1:], strict=False)
    )


def _figures(placed: list[Placed], statements: Statements) -> dict[str, float]:
    """How near to a figure in the passage the words beside it in the sentence stand, and what stands between."""
    symbols = statements.trail.symbols
    before, after, rivals, least, right = [], [], [], [], []
    for n, each in enumerate(placed):
        if each.symbol.figure is None or each.symbol.figure.is_one or each.at < 0:
            continue
        lefts = [p for p in placed[max(0, n - _LOOK) : n] if p.at >= 0 and not p.symbol.figure]
        rights = [p for p in placed[n + 1 : n + 2] if p.at >= 0 and not p.symbol.figure]
        if lefts:
            before.append(_apart(lefts[-1].at, each.at, symbols))
            rivals.append(_rivals(lefts[-1].at, each.at, symbols))
            least.append(min(_rivals(p.at, each.at, symbols) for p in lefts))
        if rights:
            after.append(_apart(rights[0].at, each.at, symbols))
            if rights[0].symbol.clause == each.symbol.clause:
                right.append(_rivals(rights[0].at, each.at, symbols))
    return {
        "left_apart": max(before, default=0.0),
        "right_apart": max(after, default=0.0),
        "rivals": float(max(rivals, default=0)),
        "rivals_all": float(sum(rivals)),
        "rivals_least": float(max(least, default=0)),
        "rivals_right": float(max(right, default=0)),
        "figures_unplaced": float(
            sum(each.symbol.figure is not None and each.at < 0 for each in placed)
        ),
    }


def _swapped_shares(placed: list[Placed], statements: Statements) -> float:
    """Shares of a whole that follow each other the other way round in the passage: 60 and 30 % of what is 30 and 60 %."""
    symbols = statements.trail.symbols
    known = [each for each in placed if each.at >= 0]
    return float(
        sum(
            _is_share(one.symbol)
            and _is_share(other.symbol)
            and other.at < one.at
            and symbols[one.at].part == symbols[other.at].part
            for one, other in zip(known, known[1:], strict=False)
        )
    )


def _is_share(symbol: Symbol) -> bool:
    return symbol.figure is not None and symbol.figure.unit == "percent"


def _entries(placed: list[Placed], statements: Statements) -> dict[str, float]:
    """Where it leaps into the middle of a clause or of a part whose opening words it does not say: what is said there may be
    said of something else.
    """
    symbols = statements.trail.symbols
    taken = {each.at for each in placed if each.at >= 0}
    way = [each.at for each in placed if each.at >= 0]
    midway, headless = 0, 0
    for one, other in zip(way, way[1:], strict=False):
        if other == one + 1 or symbols[one].clause == symbols[other].clause:
            continue
        midway += _is_headless(other, "clause", symbols, taken)
        if symbols[one].part != symbols[other].part:
            headless += _is_headless(other, "part", symbols, taken)
    start = _is_headless(way[0], "clause", symbols, taken) if way else False
    return {"midway": float(midway), "headless": float(headless), "starts_midway": float(start)}


def _is_headless(at: int, unit: str, symbols: list[Symbol], taken: set[int]) -> bool:
    """Whether none of the first words of the clause or part that `at` stands in is said."""
    number = getattr(symbols[at], unit)
    first = at
    while first and getattr(symbols[first - 1], unit) == number:
        first -= 1
    return not taken & set(range(first, min(first + _HEAD, at + 1)))


def _apart(one: int, other: int, symbols: list[Symbol]) -> float:
    if symbols[one].line != symbols[other].line:
        return 4.0
    if symbols[one].part != symbols[other].part:
        return 3.0
    return float(min(2, abs(symbols[one].clause - symbols[other].clause)))


def _rivals(one: int, other: int, symbols: list[Symbol]) -> int:
    """Figures of the same kind between a word and the figure it is said of."""
    figure = symbols[other].figure
    between = symbols[min(one, other) + 1 : max(one, other)]
    return sum(
        s.figure is not None
        and figure is not None
        and (s.figure.kind, s.figure.unit) == (figure.kind, figure.unit)
        for s in between
    )


def _left_out(placed: list[Placed], statements: Statements) -> dict[str, float]:
    """The clauses of the parts it comes from that it does not tell: a limit among them may be what makes it false."""
    symbols = statements.trail.symbols
    told = {symbols[each.at].clause for each in placed if each.at >= 0}
    here = {symbols[each.at].part for each in placed if each.at >= 0}
    last = max((symbols[each.at].clause for each in placed if each.at >= 0), default=-1)
    clauses = enumerate(statements.trail.clauses)
    mute = [(n, said.text) for n, said in clauses if said.part in here and n not in told]
    after = [clause for n, clause in mute if n == last + 1]
    rest = [s for s in symbols if s.clause in told]
    taken = {each.at for each in placed}
    words = sum(symbols[at].clause in told and at not in taken for at in range(len(symbols)))
    found = {
        "mute": float(len(mute)),
        "mute_denies": float(sum(negations(clause) > 0 for _, clause in mute)),
        "after_denies": float(any(negations(clause) > 0 for clause in after)),
        "rest": words / max(1, len(rest)),
        "rest_words": float(words),
    }
    for cue in _LIMITS:
        found[f"mute_{cue}"] = float(sum(cue in cues_of(clause) for _, clause in mute))
        found[f"after_{cue}"] = float(any(cue in cues_of(clause) for clause in after))
    return found


def _turned(sentence: str, placed: list[Placed], statements: Statements) -> dict[str, float]:
    """The small words of the sentence against those of the clauses it was taken from."""
    symbols = statements.trail.symbols
    told = sorted({symbols[each.at].clause for each in placed if each.at >= 0})
    source = " , ".join(statements.trail.clauses[n].text for n in told)
    mine, theirs = cues_of(sentence), cues_of(source)
    opened = {symbols[each.at].clause for each in placed[:_OPENING] if each.at >= 0}
    found = {
        "denied_more": float(negations(sentence) - negations(source)),
        "says": float(any(not negations(statements.trail.clauses[n].text) for n in opened)),
    }
    for cue in _TURNS:
        found[f"new_{cue}"] = float(cue in mine and cue not in theirs)
        found[f"lost_{cue}"] = float(cue in theirs and cue not in mine)
    return found
