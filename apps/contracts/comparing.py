"""Two wordings beside each other, aligned by clause, without a model: versions of a contract, or one and a template."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from apps.contracts.reading import Contract
from apps.contracts.reading.clauses import Clause

State = Literal["same", "changed", "moved", "added", "removed"]
# A Latin word or a number stays whole; Chinese is compared character by character.
_TOKEN = re.compile(r"[A-Za-z0-9À-ɏ]+(?:[.,:'’/-][A-Za-z0-9À-ɏ]+)*|\s+|.", re.DOTALL)
# Less in common than that, and the heading differs: another clause.
_ALIKE = 0.45
_SAME_TITLE = 0.35


@dataclass(frozen=True, slots=True)
class Change:
    kind: Literal["equal", "removed", "added"]
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A clause of the first level, or what stands before the first one."""

    label: str
    title: str
    text: str
    start: int


@dataclass(frozen=True)
class Pair:
    """`moved`: the words are the same and its place among the others is not."""

    state: State
    old: Part | None
    new: Part | None

    @property
    def head(self) -> str:
        part = self.new or self.old
        return f"{part.label} {part.title}".strip() if part else ""

    def changes(self) -> list[Change]:
        return list(
            changes_between(self.old.text if self.old else "", self.new.text if self.new else "")
        )


def compare(old: Contract, new: Contract) -> list[Pair]:
    """In the order of the new wording; what was removed stands where it stood."""
    before, after = _parts(old), _parts(new)
    matched = _matched(before, after)
    in_order = _longest_rising([matched[at] for at in sorted(matched)])
    pairs = []
    placed: set[int] = set()
    for at, part in enumerate(after):
        source = next((i for i, j in matched.items() if j == at), None)
        if source is None:
            pairs.append(Pair("added", None, part))
            continue
        for earlier in range(source):
            if earlier not in matched and earlier not in placed:
                placed.add(earlier)
                pairs.append(Pair("removed", before[earlier], None))
        pairs.append(Pair(_state(before[source], part, at in in_order), before[source], part))
    left = [i for i in range(len(before)) if i not in matched and i not in placed]
    return pairs + [Pair("removed", before[i], None) for i in left]


def _parts(contract: Contract) -> list[Part]:
    found = []
    for clause in contract.clauses:
        for part in _split(clause):
            text = contract.text[part.start : part.end].strip()
            if text:
                found.append(Part(part.label, part.title, text, part.start))
    return found


def _split(clause: Clause) -> list[Clause]:
    """Chapters are frames; what is compared are their articles."""
    if clause.kind in {"chapter", "part", "division"} and clause.children:
        return clause.children
    return [clause]


def _matched(before: Sequence[Part], after: Sequence[Part]) -> dict[int, int]:
    """Each with its most alike, the surest first. Numbers are no help: one new clause shifts them all."""
    bags = [Counter(_grams(part.text)) for part in before], [Counter(_grams(p.text)) for p in after]
    scored = []
    for i, one in enumerate(before):
        for j, other in enumerate(after):
            score = _overlap(bags[0][i], bags[1][j])
            has_title = bool(one.title) and one.title == other.title
            if score >= (_ALIKE - _SAME_TITLE if has_title else _ALIKE):
                scored.append((score + (_SAME_TITLE if has_title else 0) - abs(i - j) * 1e-6, i, j))
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for _score, i, j in sorted(scored, reverse=True):
        if i not in matched and j not in taken:
            matched[i] = j
            taken.add(j)
    return matched


def _grams(text: str) -> Iterator[str]:
    bare = re.sub(r"\s+", "", text).lower()
    return (bare[at : at + 2] for at in range(max(len(bare) - 1, 1)))


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    return 2 * (one & other).total() / max(one.total() + other.total(), 1)


def _longest_rising(places: Sequence[int]) -> set[int]:
    """Those that kept their order; the others were moved."""
    best: list[list[int]] = []
    for place in places:
        longest: list[int] = []
        for run in best:
            if run[-1] < place and len(run) > len(longest):
                longest = run
        best.append([*longest, place])
    kept: list[int] = max(best, key=len, default=[])
    return set(kept)


def _state(old: Part, new: Part, is_in_order: bool) -> State:
    if _bare(old) != _bare(new):
        return "changed"
    return "same" if is_in_order else "moved"


def _bare(part: Part) -> str:
    """A clause that only has another number now is the same."""
    return re.sub(r"\s+", "", part.text.removeprefix(part.label))


def changes_between(old: str, new: str) -> Iterator[Change]:
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Change("equal", "".join(before[i:j]))
            continue
        if i < j:
            yield Change("removed", "".join(before[i:j]))
        if k < m:
            yield Change("added", "".join(after[k:m]))
