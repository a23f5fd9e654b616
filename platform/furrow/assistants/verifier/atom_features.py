"""What the alignment of one atom of a claim with its statement tells, as numbers."""

from rapidfuzz import fuzz

from furrow.assistants.verifier.alignment import (
    Aligned,
    bindings,
    figure_gaps,
    figure_margins,
    local_fits,
    lost_figures,
)
from furrow.assistants.verifier.cues import NAMES, cues_of, negations, polarity
from furrow.assistants.verifier.evidence import wide_words_of
from furrow.assistants.verifier.held_figures import equal
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.opposites import opposite
from furrow.assistants.verifier.scope import scoped
from furrow.assistants.verifier.statements import Atom, Statement, Statements, keys_of
from furrow.assistants.verifier.words import tokens_of

_TONES = (
    ("neg", "plain"),
    ("plain", "neg"),
    ("neg", "neg"),
    ("need0", "plain"),
    ("plain", "need0"),
)
# An atom without figures has none that belongs elsewhere.
_NO_FIGURE = 3.0
# Signs that hardly any honest sentence shows.
_AGAINST = (
    "may_refused",
    "adds_always",
    "adds_promise",
    "head_said",
    "opposite_near",
    "bound_ge_le",
    "bound_le_ge",
    "tone_plain_neg",
)


def atom_features(
    pair: Aligned, atoms: tuple[Atom, ...], statements: Statements
) -> dict[str, float]:
    atom, statement = pair.atom, pair.statement
    row = _words(pair, atoms, statements)
    row |= _figures(atom, atoms, statement, statements) | _bounds(atom, statement)
    row |= _scopes(atom, statement, statements) | _tones(atom, statement, statements)
    row |= _cues(atom, atoms, statement, statements)
    row["against"] = sum(row[name] for name in _AGAINST)
    return row


def _words(pair: Aligned, atoms: tuple[Atom, ...], statements: Statements) -> dict[str, float]:
    """How much of the atom stands where, and what of it stands elsewhere or nowhere."""
    atom, statement = pair.atom, pair.statement
    reach = statement.reach | statements.heading
    known = [(token, statements.rarity(token)) for token in atom.tokens]
    misled = [rarity for token, rarity in known if rarity and not reach.support(token)]
    rare = sum(rarity * token.weight for token, rarity in known)
    rare_held = sum(rarity * token.weight for token, rarity in known if reach.support(token))
    return {
        "plain": atom.share(statement.own),
        "own": atom.share(statement.wide),
        "reach": atom.share(reach),
        "line": atom.share(statements.lines[statement.line] | statements.heading),
        "near": atom.share(statements.near(statement.line)),
        "all": atom.share(statements.whole),
        "novel_here": sum(token.weight for token in atom.novel(reach)),
        "novel_all": sum(token.weight for token in atom.novel(statements.whole)),
        "rare_held": rare_held / (rare or 1.0),
        "misled": sum(misled),
        "misled_most": max(misled, default=0.0),
        "score": pair.score / (atom.weight + 1),
        "lead": (pair.score - pair.second) / (pair.score + 1),
        "weight": atom.weight,
        "uncovered": _uncovered(statement, atoms),
        "same": fuzz.partial_ratio(normal(atom.text), statement.text) / 100,
    }


def _figures(
    atom: Atom, atoms: tuple[Atom, ...], statement: Statement, statements: Statements
) -> dict[str, float]:
    """Whether the atom's figures are its statement's, and whether what stands side by side stands so there."""
    away = [f for f in atom.figures if not any(equal(f, known) for known in statement.figures)]
    gaps = bindings(atom, statements)
    return {
        "figures": float(len(atom.figures)),
        "figures_away": float(len(away)),
        "margin": min(figure_margins(atom, statements), default=_NO_FIGURE),
        "lost_figures": float(lost_figures(atoms, statement)),
        "local": min(local_fits(atom, statements), default=1.0),
        "figure_gap": max(figure_gaps(atom, statements), default=0.0),
        "gap": max(gaps, default=0.0),
        "gap_mean": sum(gaps) / len(gaps) if gaps else 0.0,
        "gap_share": sum(gap > 1 for gap in gaps) / len(gaps) if gaps else 0.0,
    }


def _tones(atom: Atom, statement: Statement, statements: Statements) -> dict[str, float]:
    """Yes or no in both, and words of which each makes the other false."""
    line = statements.evidence.lines[statement.line].text
    tones = (polarity(atom.text), statement.tone)
    return {f"tone_{mine}_{theirs}": float(tones == (mine, theirs)) for mine, theirs in _TONES} | {
        "negations": float(abs(negations(atom.text) - negations(statement.text))),
        "opposite_near": float(bool(opposite(atom.text, statement.text, is_near=True))),
        "opposite_line": float(bool(opposite(atom.text, line, is_near=False))),
    }


def _cues(
    atom: Atom, atoms: tuple[Atom, ...], statement: Statement, statements: Statements
) -> dict[str, float]:
    """The small words that the atom adds to what its statement or the sentence around has, and those it drops."""
    mine, here = cues_of(atom.text), cues_of(statement.text)
    line = statements.evidence.lines[statement.line].text
    around = here | cues_of(statement.carried_text) | cues_of(line)
    said = frozenset[str]().union(*(cues_of(each.text) for each in atoms))
    row = {}
    for cue in NAMES:
        excused = 0.5 * (cue in around) + 0.5 * (cue in here)
        row[f"adds_{cue}"] = (1 - excused) if cue in mine else 0.0
        row[f"drops_{cue}"] = float(cue in here and cue not in said)
    row["may_refused"] = float("may" in mine and "may_not" in here and "may_not" not in mine)
    row["refuses_may"] = float("may_not" in mine and "may_not" not in here)
    return row


def _bounds(atom: Atom, statement: Statement) -> dict[str, float]:
    """How the bounds of its figures compare with those of the same figures in the statement."""
    found = dict.fromkeys(("le_none", "ge_none", "le_ge", "ge_le", "none_le", "none_ge"), 0.0)
    for figure in atom.figures:
        equals = [known for known in statement.figures if equal(figure, known)]
        if figure.kind != "number" or not equals:
            continue
        theirs = {_side(known.bound) for known in equals}
        mine = _side(figure.bound)
        if mine not in theirs:
            for side in theirs:
                found[f"{mine}_{side}"] += 1
    return {f"bound_{name}": value for name, value in found.items()}


def _side(bound: str) -> str:
    return {"le": "le", "": "none"}.get(bound, "ge")


def _scopes(atom: Atom, statement: Statement, statements: Statements) -> dict[str, float]:
    """What the one denies and the other says, and what both see alike."""
    denied, stated, heads = scoped(atom.text)
    their_denied, their_stated, their_heads = scoped(statement.text)

    def weight(keys: frozenset[str]) -> float:
        return sum(1.0 / statements.frequencies.get(key, 3) for key in keys)

    return {
        "denies_said": weight((denied & their_stated) - stated - their_denied),
        "says_denied": weight((stated & their_denied) - denied - their_stated),
        "denies_denied": weight(denied & their_denied),
        "head_denied": float(len((heads & their_stated) - their_denied - their_heads)),
        "head_said": float(len((their_heads & stated) - denied - heads)),
        "head_both": float(len(heads & (their_heads | their_denied))),
        "head_lost": float(len(their_heads - stated - denied)),
        "head_new": float(len(heads - their_stated - their_denied)),
    }


def _uncovered(statement: Statement, atoms: tuple[Atom, ...]) -> float:
    """How much of the statement's own content the claim leaves out."""
    tokens = tokens_of(statement.text)
    keys = keys_of(wide_words_of("".join(atom.text for atom in atoms)))
    total = sum(t.weight for t in tokens)
    return sum(t.weight for t in tokens if not keys.support(t)) / total if total else 0.0
