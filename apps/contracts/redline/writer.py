"""Edits written as tracked changes, by splicing bytes into the original."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from apps.contracts.redline.comments import comments_append
from apps.contracts.redline.edits import (
    Change,
    Comment,
    Delete,
    Edit,
    EditRefused,
    InsertAfter,
    swaps,
)
from apps.contracts.redline.markup import Markup, is_writable
from apps.contracts.redline.package import Package
from apps.contracts.redline.plan import Plan, Remark
from apps.contracts.redline.scan import Paragraph, Scanned, scan


@dataclass(frozen=True)
class Redline:
    """`document` is the DOCX with the edits of `done` in it; `refused` says for each other why not."""

    document: bytes
    done: tuple[Edit, ...]
    refused: tuple[EditRefused, ...]


def paragraphs_read(document: bytes) -> list[str]:
    """The body's paragraphs in the order of the file, those of tables and text boxes among them, as they read
    with all tracked changes accepted. Edits name them by their place in this list.

    Raises `DocumentUnreadable`.
    """
    package = Package(document)
    return [paragraph.text for paragraph in scan(package.part(package.document)).paragraphs]


def redline_write(
    document: bytes, edits: Sequence[Edit], *, author: str, at: datetime, initials: str = ""
) -> Redline:
    """Writes every edit that can be made as a tracked change or comment of `author` at `at` (aware).

    An edit that cannot be made is left out and named in `refused`; the others are made all the same.
    Raises `DocumentUnreadable`.
    """
    package = Package(document)
    scanned = scan(package.part(package.document))
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    highest = scanned.highest_id
    if package.comments:
        highest = max(highest, scan(package.part(package.comments)).highest_id)
    markup = Markup(scanned.prefix, author, moment, next_id=highest + 1)
    draft = _Draft(scanned, markup)
    for edit in edits:
        draft.take(edit)
    body = draft.plan.written()
    package.replace(package.document, body)
    if draft.plan.remarks:
        comments_append(package, draft.plan.remarks, markup, initials=initials)
    return Redline(package.write(), tuple(draft.done), tuple(draft.refused))


class _Draft:
    """The edits that fit together so far."""

    def __init__(self, scanned: Scanned, markup: Markup) -> None:
        self.scanned = scanned
        self.plan = Plan(scanned, markup)
        self.done: list[Edit] = []
        self.refused: list[EditRefused] = []

    def take(self, edit: Edit) -> None:
        try:
            self._take(edit)
        except EditRefused as refusal:
            self.refused.append(refusal)
        else:
            self.done.append(edit)

    def _take(self, edit: Edit) -> None:
        if not 0 <= edit.paragraph < len(self.scanned.paragraphs):
            raise EditRefused(edit, "outside")
        if not is_writable(getattr(edit, "text", "") + edit.comment):
            raise EditRefused(edit, "unwritable")
        paragraph = self.scanned.paragraphs[edit.paragraph]
        if edit.comment and not isinstance(edit, InsertAfter):
            self.plan.remark_check(edit, paragraph)
        if isinstance(edit, Change):
            self._change(edit, paragraph)
        elif isinstance(edit, Comment):
            self._comment(edit, paragraph)
        elif isinstance(edit, InsertAfter):
            self._insert(edit, paragraph)
        else:
            self._delete(edit, paragraph)

    def _change(self, edit: Change, paragraph: Paragraph) -> None:
        text = paragraph.text
        if not 0 <= edit.start <= edit.end <= len(text):
            raise EditRefused(edit, "outside")
        changes = swaps(text, edit)
        if not changes:
            raise EditRefused(edit, "empty")
        self.plan.swap(edit, paragraph, changes)
        if edit.comment and text:
            start, end = (edit.start, edit.end) if edit.end > edit.start else _beside(edit, text)
            self.plan.remark(paragraph, Remark(start, end, edit.comment))

    def _comment(self, edit: Comment, paragraph: Paragraph) -> None:
        if not 0 <= edit.start < edit.end <= len(paragraph.text):
            raise EditRefused(edit, "outside")
        if not edit.comment:
            raise EditRefused(edit, "empty")
        self.plan.remark(paragraph, Remark(edit.start, edit.end, edit.comment))

    def _insert(self, edit: InsertAfter, paragraph: Paragraph) -> None:
        if not edit.text:
            raise EditRefused(edit, "empty")
        if not paragraph.is_followed or paragraph.has_section:
            raise EditRefused(edit, "no_neighbour")
        self.plan.paragraph_insert(paragraph, edit.text, edit.comment)

    def _delete(self, edit: Delete, paragraph: Paragraph) -> None:
        if not paragraph.is_followed or paragraph.has_section:
            raise EditRefused(edit, "no_neighbour")
        if paragraph.is_mark_revised:
            raise EditRefused(edit, "revision")
        self.plan.paragraph_delete(edit, paragraph)
        if edit.comment and paragraph.text:
            self.plan.remark(paragraph, Remark(0, len(paragraph.text), edit.comment))


def _beside(edit: Change, text: str) -> tuple[int, int]:
    """A remark on an insertion hangs on the character before it, or the first one."""
    return (edit.start - 1, edit.start) if edit.start else (0, min(1, len(text)))
