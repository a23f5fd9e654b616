"""The read text as the review shows it: paragraphs, cut where a finding begins or ends."""

from dataclasses import dataclass, field
from uuid import UUID

from apps.contracts.models import ContractVersion
from apps.contracts.reviewing.outcome import Judged
from apps.contracts.reviewing.source import text_of

_RANK = {"high": 0, "medium": 1, "low": 2}


@dataclass(frozen=True)
class Piece:
    """A stretch without a boundary in it; of several findings over it the gravest colours it."""

    text: str
    finding_id: UUID | None = None
    level: str = ""
    state: str = ""
    is_first: bool = False


@dataclass(frozen=True)
class Shown:
    """`new_page` is set where a page begins."""

    number: int
    pieces: list[Piece] = field(default_factory=list)
    new_page: int | None = None
    is_row: bool = False


def paragraphs_shown(version: ContractVersion, marked: list[Judged]) -> list[Shown]:
    source = text_of(version)
    page: int | None = None
    shown: list[Shown] = []
    for paragraph in source.paragraphs:
        here = [
            one
            for one in marked
            if one.finding.start < paragraph.end and one.finding.end > paragraph.start
        ]
        pieces = _pieces(source.text, paragraph.start, paragraph.end, here)
        new_page = paragraph.page if paragraph.page != page else None
        page = paragraph.page
        shown.append(Shown(paragraph.number, pieces, new_page, paragraph.table is not None))
    return shown


def _pieces(text: str, start: int, end: int, here: list[Judged]) -> list[Piece]:
    if not here:
        return [Piece(text[start:end])]
    cuts = {start, end}
    for one in here:
        cuts |= {max(one.finding.start, start), min(one.finding.end, end)}
    places = sorted(cuts)
    return [_piece(text, low, high, here) for low, high in zip(places, places[1:], strict=False)]


def _piece(text: str, low: int, high: int, here: list[Judged]) -> Piece:
    over = [one for one in here if one.finding.start <= low and high <= one.finding.end]
    if not over:
        return Piece(text[low:high])
    best = min(over, key=lambda one: (not one.is_open, _RANK[one.finding.level]))
    row = best.finding
    return Piece(text[low:high], row.id, row.level, best.state, low == row.start)
