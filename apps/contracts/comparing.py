"""Two wordings beside each other, aligned by clause, without a model: versions of a contract, or one and a template."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from apps.contracts.reading import Contract
from apps.contracts.reading.clauses import Clause
from apps.contracts.redline.edits import TOKEN

State = Literal["same", "changed", "moved", "added", "removed"]
# Two stretches are compared by their tokens up to this product of their counts; beyond it by sentences first.
_CLOSE_WORK = 4_000_000
_SENTENCE = re.compile(r"[^。；;\n]*[。；;\n]|[^。；;\n]+")
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
    source_of = {new: old for old, new in matched.items()}
    in_order = _longest_rising([matched[at] for at in sorted(matched)])
    pairs = []
    placed: set[int] = set()
    for at, part in enumerate(after):
        source = source_of.get(at)
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
    old_grams, new_grams = ([_grams(part.text) for part in parts] for parts in (before, after))
    scored = []
    for i, one in enumerate(before):
        for j, other in enumerate(after):
            score = _overlap(old_grams[i], new_grams[j])
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


def _grams(text: str) -> frozenset[str]:
    """Pairs of characters, each with its number among the like ones: sets are compared far faster than counts."""
    bare = re.sub(r"\s+", "", text).lower()
    seen: Counter[str] = Counter()
    found = []
    for at in range(max(len(bare) - 1, 1)):
        pair = bare[at : at + 2]
        found.append(f"{pair} {seen[pair]}")
        seen[pair] += 1
    return frozenset(found)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / max(len(one) + len(other), 1)


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
    """By characters and words. Of texts too long for that only sentences that changed are looked at so closely."""
    before, after = TOKEN.findall(old), TOKEN.findall(new)
    if len(before) * len(after) <= _CLOSE_WORK:
        yield from _changes(before, after)
        return
    sentences = _SENTENCE.findall(old), _SENTENCE.findall(new)
    for old_part, new_part in _blocks(*sentences, skips_common=True):
        if old_part == new_part:
            yield Change("equal", "".join(old_part))
            continue
        tokens = [TOKEN.findall("".join(part)) for part in (old_part, new_part)]
        if len(tokens[0]) * len(tokens[1]) <= _CLOSE_WORK:
            yield from _changes(*tokens)
        else:
            yield from _replaced(old_part, new_part)


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    for old_part, new_part in _blocks(before, after):
        if old_part == new_part:
            yield Change("equal", "".join(old_part))
        else:
            yield from _replaced(old_part, new_part)


def _blocks(
    before: Sequence[str], after: Sequence[str], *, skips_common: bool = False
) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    matcher = SequenceMatcher(None, before, after, autojunk=skips_common)
    for _kind, i, j, k, m in matcher.get_opcodes():
        yield before[i:j], after[k:m]


def _replaced(old_part: Sequence[str], new_part: Sequence[str]) -> Iterator[Change]:
    if old_part:
        yield Change("removed", "".join(old_part))
    if new_part:
        yield Change("added", "".join(new_part))
