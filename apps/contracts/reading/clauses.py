"""The clauses of a contract as a tree, by their numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from apps.contracts.reading.numbering import Label, label_at
from apps.contracts.reading.text import ContractText

# Rank by manner of counting: a higher one may not stand below a lower one.
_RANKS = {"annex": 0, "part": 1, "chapter": 2, "division": 3, "article": 4}
_TITLE_END = re.compile(r"[。；;：:！？\n]|(?<=[a-z])\.\s")
_MOST_TITLE = 40
_BRACKETED = re.compile(r"[【\[](.{1,30}?)[】\]]")


@dataclass
class Clause:
    """From its number to the next clause of its level. The `preamble` (no number) comes first."""

    label: str
    kind: str
    key: tuple[int, ...]
    title: str
    start: int
    end: int
    level: int
    parent: "Clause | None" = field(default=None, repr=False)
    children: "list[Clause]" = field(default_factory=list, repr=False)

    @property
    def article(self) -> "Clause":
        """The clause of the first level it belongs to."""
        clause = self
        while clause.parent is not None and clause.parent.kind not in (
            "preamble",
            "chapter",
            "part",
        ):
            clause = clause.parent
        return clause

    def walk(self) -> "Iterator[Clause]":
        yield self
        for child in self.children:
            yield from child.walk()


def clauses_read(text: ContractText) -> list[Clause]:
    """The clauses of the first level; the others hang below them."""
    top: list[Clause] = [Clause("", "preamble", (), "", 0, len(text.text), 0)]
    open_clauses: list[Clause] = []
    for paragraph in text.paragraphs:
        if paragraph.table is not None:
            continue
        for start, line in _lines(text.text, paragraph.start, paragraph.end):
            label = label_at(line)
            if label is None or _is_running_text(label, line):
                continue
            clause = _clause(label, line, start)
            _close(open_clauses, clause)
            if open_clauses:
                clause.parent = open_clauses[-1]
                clause.level = clause.parent.level + 1
                clause.parent.children.append(clause)
            else:
                top.append(clause)
            open_clauses.append(clause)
    _set_ends(top, len(text.text))
    return top


def walk(clauses: list[Clause]) -> Iterator[Clause]:
    for clause in clauses:
        yield from clause.walk()


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, text[start:stop]
        start = stop + 1


def _is_running_text(label: Label, line: str) -> bool:
    """A line that only goes on with "第三条的约定" or "Section 3.2 shall" names another clause."""
    rest = line[label.end :]
    if label.kind == "annex":
        return len(line.strip()) > 60 or bool(re.match(r"[为与和及、，,。]", rest))
    if label.kind.startswith(("article", "section")):
        return bool(
            re.match(
                r"\s*(?:的|约定|规定|所述|第[^条]{1,4}款|[,，)）]|shall|above|below|of this)", rest
            )
        )
    return False


def _clause(label: Label, line: str, start: int) -> Clause:
    indent = len(line) - len(line.lstrip(" \t\u3000"))
    return Clause(
        label.text, label.kind, label.key, _title(line[label.end :]), start + indent, -1, 1
    )


def _title(rest: str) -> str:
    rest = rest.strip(" \t\u3000、.．:：")
    named = _BRACKETED.match(rest)
    if named:
        return named[1].strip()
    first = _TITLE_END.split(rest, maxsplit=1)[0].strip()
    short = re.split(r"[\s\u3000]{1,}", first)[0] if not first.isascii() else first
    for candidate in (first, short):
        if (
            0 < len(candidate) <= (_MOST_TITLE if candidate.isascii() else 16)
            and "，" not in candidate
        ):
            return candidate
    return ""


def _close(open_clauses: list[Clause], clause: Clause) -> None:
    """Pops what the new clause does not belong under."""
    for place, other in enumerate(open_clauses):
        is_same = other.kind == clause.kind
        is_prefix = (
            clause.kind.startswith(("dotted", "section"))
            and other.key == clause.key[: len(other.key)]
        )
        is_outranked = _rank(clause) < _rank(other)
        if is_same or is_outranked or (_is_numbered_below(other, clause) and not is_prefix):
            del open_clauses[place:]
            return


def _is_numbered_below(other: Clause, clause: Clause) -> bool:
    """Dotted numbers tell themselves what they stand below: 3.1 never below 2 or 2.4."""
    if not clause.kind.startswith(("dotted", "section")):
        return False
    comparable = other.kind.startswith(("dotted", "section", "digit", "article"))
    return comparable and other.kind not in ("digit_bracket", "digit_closed") or other.kind in (
        "letter_bracket", "roman_bracket", "digit_bracket", "digit_closed", "circled", "han_bracket",
    )  # fmt: skip


def _rank(clause: Clause) -> int:
    return _RANKS.get(clause.kind, 5)


def _set_ends(clauses: list[Clause], end: int) -> None:
    for place, clause in enumerate(clauses):
        clause.end = clauses[place + 1].start if place + 1 < len(clauses) else end
        _set_ends(clause.children, clause.end)
