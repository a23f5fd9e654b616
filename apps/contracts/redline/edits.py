"""What a reviewer asks of a document, and the smallest change of words that does it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal


@dataclass(frozen=True)
class Change:
    """The characters `start` to `end` of a paragraph become `text`. `start == end` inserts."""

    paragraph: int
    start: int
    end: int
    text: str
    comment: str = ""


@dataclass(frozen=True)
class InsertAfter:
    """A paragraph of its own, formatted as the one before it."""

    paragraph: int
    text: str
    comment: str = ""


@dataclass(frozen=True)
class Delete:
    """The whole paragraph goes, with its end."""

    paragraph: int
    comment: str = ""


@dataclass(frozen=True)
class Comment:
    """A remark beside the characters `start` to `end`; the text stays."""

    paragraph: int
    start: int
    end: int
    comment: str


Edit = Change | InsertAfter | Delete | Comment

Reason = Literal["outside", "overlap", "revision", "empty", "no_neighbour", "unwritable"]


class EditRefused(Exception):
    """One edit cannot be made without harm. Nothing was written.

    `outside` the paragraph; `overlap` with another edit; `revision`, it touches somebody else's tracked change;
    `empty`, there is nothing to do; `no_neighbour`, the paragraph is the last of its cell or page section;
    `unwritable`, the text holds characters that no XML file may hold.
    """

    def __init__(self, edit: Edit, reason: Reason) -> None:
        super().__init__(f"{type(edit).__name__} of paragraph {edit.paragraph}: {reason}")
        self.edit = edit
        self.reason = reason


@dataclass(frozen=True)
class Swap:
    """A stretch of one paragraph that is struck out, and what stands there instead."""

    start: int
    end: int
    text: str


# A Latin word or a number stays whole; Chinese is compared character by character.
TOKEN = re.compile(r"[A-Za-z0-9À-ɏ]+(?:[.,:'’/-][A-Za-z0-9À-ɏ]+)*|\s+|.", re.DOTALL)
# Two changes with less than this between them read better as one.
_LEAST_KEPT = 3


def swaps(old: str, change: Change) -> list[Swap]:
    """`change` as the smallest readable strike-outs and insertions, in order."""
    before = TOKEN.findall(old[change.start : change.end])
    after = TOKEN.findall(change.text)
    found: list[Swap] = []
    for start, end, text in _differences(before, after, change.start):
        if found and start - found[-1].end < _LEAST_KEPT and start > found[-1].end:
            last = found.pop()
            found.append(Swap(last.start, end, last.text + old[last.end : start] + text))
        else:
            found.append(Swap(start, end, text))
    return found


def _differences(
    before: list[str], after: list[str], offset: int
) -> Iterator[tuple[int, int, str]]:
    places = [offset]
    for token in before:
        places.append(places[-1] + len(token))
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            yield places[i], places[j], "".join(after[k:m])
