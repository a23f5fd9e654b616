"""Decisions as tracked changes and comments in the contract's Word file."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import docx
from django.utils.translation import gettext as _

from apps.contracts.export.placing import Places
from apps.contracts.models import ContractVersion, Decision
from apps.contracts.reading import ContractText
from apps.contracts.redline import (
    Change,
    Comment,
    DocumentUnreadable,
    Edit,
    InsertAfter,
    paragraphs_read,
    redline_write,
)
from apps.contracts.redline.markup import made_writable
from apps.contracts.reviewing.outcome import Judged
from apps.contracts.reviewing.source import text_of
from furrow.core.errors import Conflict
from furrow.knowledge.storage import file_path

_SETTLED = {Decision.State.ACCEPTED, Decision.State.EDITED}


@dataclass(frozen=True)
class Export:
    """`left_out` are the findings that the file has no place for; a report shows them all the same."""

    document: bytes
    done: int
    left_out: tuple[Judged, ...]


def redline_export(
    version: ContractVersion,
    found: Iterable[Judged],
    *,
    author: str,
    at: datetime,
    with_open: bool = False,
) -> Export:
    """Accepted and edited findings as changes, the other remarks as comments. What cannot be changed without
    harm becomes a comment with the suggested words.
    """
    source = text_of(version)
    document = _document_of(version, source)
    try:
        places = Places(source, paragraphs_read(document))
        wanted = [one for one in found if _is_wanted(one, with_open)]
        return _written(document, places, wanted, author, at)
    except DocumentUnreadable as error:
        raise Conflict(
            _("This Word file cannot be changed. Download the report instead."), code=error.reason
        ) from error


def _written(
    document: bytes, places: Places, wanted: list[Judged], author: str, at: datetime
) -> Export:
    edits: dict[Edit, Judged] = {}
    left_out: list[Judged] = []
    for one in wanted:
        edit = _edit(one, places)
        if edit is None:
            left_out.append(one)
        else:
            edits[edit] = one
    first = redline_write(document, list(edits), author=author, at=at)
    if first.refused:
        for refusal in first.refused:
            one = edits.pop(refusal.edit)
            instead = _instead(one, places, refusal.edit)
            if instead is None or instead in edits:
                left_out.append(one)
            else:
                edits[instead] = one
        first = redline_write(document, list(edits), author=author, at=at)
        left_out += [edits[refusal.edit] for refusal in first.refused]
    return Export(first.document, len(first.done), tuple(left_out))


def _is_wanted(one: Judged, with_open: bool) -> bool:
    if one.state == Decision.State.REJECTED:
        return False
    has_comment = bool(one.decision and one.decision.comment)
    return with_open or has_comment or one.state in _SETTLED


def _edit(one: Judged, places: Places) -> Edit | None:
    finding, text = one.finding, one.suggestion
    is_settled = one.state in _SETTLED
    if not finding.quote:
        line = places.line_of(finding.anchor) if finding.anchor is not None else None
        if line is None:
            return None
        if is_settled and text:
            return InsertAfter(line, text, remark(one))
        return _beside(places, one, line)
    spot = places.spot(finding.start, finding.end)
    if spot is None:
        near = places.near(finding.start)
        if near is None:
            return None
        return Comment(near.line, near.start, near.end, remark(one, with_text=True))
    if is_settled and text is not None and text != finding.quote:
        return Change(spot.line, spot.start, spot.end, text, remark(one))
    return Comment(spot.line, spot.start, spot.end, remark(one))


def _beside(places: Places, one: Judged, line: int) -> Comment | None:
    length = places.length_of(line)
    return Comment(line, 0, length, remark(one, with_text=True)) if length else None


def _instead(one: Judged, places: Places, edit: Edit) -> Edit | None:
    """The same as a remark beside the text."""
    if isinstance(edit, Comment):
        return None
    if isinstance(edit, Change) and edit.end > edit.start:
        return Comment(edit.paragraph, edit.start, edit.end, remark(one, with_text=True))
    return _beside(places, one, edit.paragraph)


def remark(one: Judged, *, with_text: bool = False) -> str:
    """The reviewer's comment, or else what the finding says."""
    own = one.decision.comment if one.decision else ""
    words = [own] if own else [f"{one.title}: {one.message}", one.advice]
    if with_text and one.suggestion:
        words.append(_("Suggested wording: %(text)s") % {"text": one.suggestion})
    return "\n".join(word for word in words if word)


def _document_of(version: ContractVersion, source: ContractText) -> bytes:
    """The file itself, or for a PDF, scan or text a Word file of the paragraphs that were read."""
    if version.is_word:
        path = file_path(version.file_key)
        if not path.is_file():
            raise Conflict(_("The stored file is gone. Upload the contract again."))
        return path.read_bytes()
    made = docx.Document()
    for paragraph in source.paragraphs:
        made.add_paragraph(made_writable(source.words_of(paragraph)).replace("\r", " "))
    # Word wants a paragraph after the last one that an edit inserts behind.
    made.add_paragraph("")
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()
