"""What the alignment of a claim with its passage tells, as numbers."""

import re

from rapidfuzz import fuzz

from furrow.assistants.verifier.alignment import Aligned, aligned, crossed, swap_gain
from furrow.assistants.verifier.atom_features import atom_features
from furrow.assistants.verifier.claims import over_all, unfounded_claim, unfounded_commitment
from furrow.assistants.verifier.numerals import normal
from furrow.assistants.verifier.statements import Atom, Statements, atoms_of
from furrow.assistants.verifier.trace_features import trace_features

_HAN = re.compile(r"[\u3400-\u9fff]")


def features_of(sentence: str, statements: Statements, opening: str = "") -> dict[str, float]:
    atoms = atoms_of(sentence)
    pairs = [aligned(atom, statements) for atom in atoms]
    rows = [atom_features(pair, atoms, statements) for pair in pairs]
    found: dict[str, float] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        found[f"{name}.max"], found[f"{name}.min"] = max(values), min(values)
        found[f"{name}.mean"] = sum(values) / len(values)
    found |= _whole(sentence, atoms, pairs, statements)
    found |= trace_features(sentence, statements)
    first = pairs[0].statement.tone
    found["yes_to_no"] = float(opening == "yes" and first == "neg" and not found["trace_says"])
    found["no_to_yes"] = float(opening == "no" and first == "plain")
    return found


def _whole(
    sentence: str, atoms: tuple[Atom, ...], pairs: list[Aligned], statements: Statements
) -> dict[str, float]:
    lines = [s.text for s in statements.evidence.lines]
    said = normal(sentence)
    weight = sum(a.weight for a in atoms) or 1.0
    evidence = statements.evidence
    places = {pair.statement.line for pair in pairs}
    own = "\n".join([evidence.heading, *(evidence.texts[at] for at in sorted(places))])
    near = "\n".join(evidence.around(at) for at in sorted(places))
    return {
        "sweeps": float(bool(unfounded_claim(sentence, own))),
        "over_all": float(bool(over_all(sentence, own))),
        "promises": float(bool(unfounded_commitment(sentence, near))),
        "atoms": float(len(atoms)),
        "lines_used": float(len(places)),
        "length": float(sum(a.weight for a in atoms)),
        "is_zh": float(bool(_HAN.search(sentence))),
        "share_all": sum(a.weight * a.share(statements.whole) for a in atoms) / weight,
        "ratio_line": max(fuzz.ratio(said, normal(line)) for line in lines) / 100,
        "partial_line": max(fuzz.partial_ratio(said, normal(line)) for line in lines) / 100,
        "ratio_statement": max(fuzz.ratio(said, s.text) for s in statements.all) / 100,
        "statements": float(len(statements.all)),
        "swap_gain": swap_gain(atoms, statements),
        "crossed": float(crossed(atoms, statements)),
    }
