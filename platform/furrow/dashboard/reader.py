"""Cuts a document's text for the page that shows it beside its passages."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from furrow.knowledge.models import Chunk


@dataclass(frozen=True)
class Segment:
    """A run of text inside one passage or between two. `page` is set where a page begins."""

    text: str
    chunk_id: UUID | None
    is_enabled: bool
    page: int | None
    is_cited: bool


def segments(
    text: str,
    *,
    pages: Sequence[dict[str, int]],
    chunks: Sequence[Chunk],
    window: tuple[int, int],
    cited: tuple[int, int] | None = None,
) -> list[Segment]:
    """`text[window[0]:window[1]]` in pieces, in order and without loss. Where passages overlap, the earlier one
    has the words.
    """
    first, last = window
    page_at = {page["start"]: page["number"] for page in pages}
    cuts = {first, last, *page_at, *(cited or ())}
    cuts |= {edge for chunk in chunks for edge in (chunk.start, chunk.end)}
    inside = sorted(cut for cut in cuts if first <= cut <= last)
    found = []
    for start, end in zip(inside, inside[1:], strict=False):
        chunk = next((c for c in chunks if c.start <= start < c.end), None)
        found.append(
            Segment(
                text=text[start:end],
                chunk_id=chunk.id if chunk else None,
                is_enabled=chunk.is_enabled if chunk else True,
                page=page_at.get(start),
                is_cited=cited is not None and cited[0] <= start < cited[1],
            )
        )
    return found


def window_of(
    text: str, chunks: Sequence[Chunk], *, is_first: bool, is_last: bool
) -> tuple[int, int]:
    """The stretch of text that a list of passages covers; the ends of the document belong to the outer ones."""
    if not chunks:
        return 0, len(text)
    first = 0 if is_first else chunks[0].start
    last = len(text) if is_last else max(chunk.end for chunk in chunks)
    return first, last
