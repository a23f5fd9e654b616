"""From search hits to what is said: chosen sentences, made complete, checked against the document, cited."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Substr

from furrow.assistants.figures import codes_of
from furrow.assistants.ladder import Citation
from furrow.core.context import current_tenant_id
from furrow.core.logs import get_logger
from furrow.knowledge.models import DocumentVersion
from furrow.knowledge.quoting import Passage, pick_sentences
from furrow.knowledge.search import Hit
from furrow.knowledge.sentences import is_cjk, split_sentences
from furrow.knowledge.text.folding import fold

log = get_logger(__name__)

# A paragraph up to this wide (a Chinese character counts twice) is quoted whole: cut apart, its sentences
# lose their conditions. Longer ones give the sentence alone.
PARAGRAPH_WIDTH = 320
_SHORT_WIDTH = 24
_NOT_ALNUM = re.compile(r"[\W_]+")
_LEADS_ON = re.compile(r"[:：]\s*$")
_SKIPPED = frozenset({"heading", "running", "caption"})
_PROSE = frozenset({"paragraph", "list_item", "note"})


@dataclass(frozen=True)
class Picked:
    """A quote and the hit it was found in; `start` and `end` are offsets in the document's text."""

    hit: Hit
    start: int
    end: int
    confidence: float

    @property
    def text(self) -> str:
        return self.hit.text[self.start - self.hit.start : self.end - self.hit.start]


@dataclass(frozen=True)
class Piece:
    """A block of the document, as far as it lies within a hit."""

    kind: str
    start: int
    end: int


def pick(query: str, hits: Sequence[Hit], *, limit: int) -> list[Picked]:
    """The sentences that answer best, best first. A code in the question must stand in the passage."""
    codes = codes_of(query)
    usable = {hit.chunk_id: hit for hit in hits if names_all(hit, codes)}
    scores = _scores(list(usable.values()))
    passages = [
        Passage(
            id=hit.chunk_id,
            text=hit.text,
            document_title=hit.title,
            heading_path=" ".join(hit.heading_path),
            score=scores[hit.chunk_id],
            headings=tuple(hit.heading_path),
        )
        for hit in usable.values()
    ]
    picked = []
    for quote in pick_sentences(query, passages, limit=limit):
        hit = usable[quote.passage_id]  # type: ignore[index]
        start, end = hit.start + quote.start, hit.start + quote.end
        named = codes_of(quote.text)
        if codes and named and codes.isdisjoint(named):
            # A neighbouring row, about another product.
            continue
        picked.append(Picked(hit, start, end, quote.confidence))
    return picked


def names_all(hit: Hit, codes: frozenset[str]) -> bool:
    if not codes:
        return True
    text = _NOT_ALNUM.sub("", fold(f"{hit.title} {hit.header} {hit.text}"))
    return all(code in text for code in codes)


def _scores(hits: list[Hit]) -> dict[UUID, float]:
    """BM25 scores, whose ratios mean something; a hit that only its vector found counts like the weakest."""
    lexical = {hit.chunk_id: hit.scores.get("lexical") or 0.0 for hit in hits}
    if not any(lexical.values()):
        return {hit.chunk_id: hit.score for hit in hits}
    weakest = min(score for score in lexical.values() if score)
    return {chunk_id: score or weakest for chunk_id, score in lexical.items()}


_PIECES = """
SELECT h.chunk, b->>'kind', greatest((b->>'start')::int, h.first), least((b->>'end')::int, h.last)
  FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[]) AS h(chunk, version, first, last)
  JOIN knowledge_documentversion v ON v.tenant_id = %s AND v.id = h.version
  CROSS JOIN LATERAL jsonb_array_elements(v.blocks) b
 WHERE (b->>'start')::int < h.last AND (b->>'end')::int > h.first
 ORDER BY h.chunk, (b->>'start')::int
"""


def completed(quotes: list[Picked]) -> list[Picked]:
    """The same quotes, each grown to what a reader can use: a heading gives way to the paragraph under it, a
    short paragraph is quoted whole, one that leads on takes its list along. One query.
    """
    pieces = _pieces_of(quotes)
    grown: list[Picked] = []
    for quote in quotes:
        larger = _grown(quote, pieces.get(quote.hit.chunk_id, []))
        if larger is not None and not any(_overlap(larger, other) for other in grown):
            grown.append(larger)
    return grown


def _pieces_of(quotes: Iterable[Picked]) -> dict[UUID, list[Piece]]:
    hits = list({quote.hit.chunk_id: quote.hit for quote in quotes}.values())
    columns: list[list[Any]] = [
        [hit.chunk_id for hit in hits],
        [hit.version_id for hit in hits],
        [hit.start for hit in hits],
        [hit.end for hit in hits],
    ]
    found: dict[UUID, list[Piece]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PIECES, [*columns, current_tenant_id()])
        for chunk_id, kind, start, end in cursor.fetchall():
            found.setdefault(chunk_id, []).append(Piece(kind, start, end))
    return found


def _grown(quote: Picked, pieces: list[Piece]) -> Picked | None:
    at = bisect_right([piece.start for piece in pieces], quote.start) - 1
    if at < 0 or quote.start >= pieces[at].end:
        return quote
    if pieces[at].kind in _SKIPPED:
        at = next((n for n in range(at, len(pieces)) if pieces[n].kind not in _SKIPPED), -1)
        if at < 0:
            return None
        quote = _opening(quote, pieces[at])
    if pieces[at].kind not in _PROSE:
        return quote
    end = max(quote.end, pieces[at].end)
    if _LEADS_ON.search(_text(quote, pieces[at].start, end)):
        for piece in pieces[at + 1 :]:
            if piece.kind != "list_item" or not _fits(quote, pieces[at].start, piece.end):
                break
            end = piece.end
    start = min(quote.start, pieces[at].start)
    if _fits(quote, start, end):
        return _trimmed(quote, start, end)
    return _with_next(quote, pieces[at])


def _opening(quote: Picked, piece: Piece) -> Picked:
    """The first sentence of a block; of a table the row."""
    if piece.kind not in _PROSE:
        return _trimmed(quote, piece.start, piece.end)
    spans = split_sentences(_text(quote, piece.start, piece.end))
    end = piece.start + spans[0][1] if spans else piece.end
    return _trimmed(quote, piece.start, end)


def _with_next(quote: Picked, piece: Piece) -> Picked:
    """A bare "No." by itself says too little: it takes the next sentence along."""
    if _width(quote.text) >= _SHORT_WIDTH:
        return quote
    spans = split_sentences(_text(quote, quote.end, piece.end))
    return replace(quote, end=quote.end + spans[0][1]) if spans else quote


def _text(quote: Picked, start: int, end: int) -> str:
    return quote.hit.text[start - quote.hit.start : end - quote.hit.start]


def _trimmed(quote: Picked, start: int, end: int) -> Picked:
    text = _text(quote, start, end)
    start += len(text) - len(text.lstrip())
    return replace(quote, start=start, end=start + len(text.strip()))


def _fits(quote: Picked, start: int, end: int) -> bool:
    return _width(_text(quote, start, end)) <= PARAGRAPH_WIDTH


def _width(text: str) -> int:
    return sum(2 if is_cjk(char) else 1 for char in text)


def _overlap(left: Picked, right: Picked) -> bool:
    same = left.hit.version_id == right.hit.version_id
    return (same and left.start < right.end and right.start < left.end) or left.text == right.text


def in_reading_order(quotes: Iterable[Picked]) -> list[Picked]:
    """The document of the best quote first, and within a document as a reader meets the sentences."""
    documents: dict[UUID, list[Picked]] = {}
    for quote in quotes:
        documents.setdefault(quote.hit.document_id, []).append(quote)
    return [
        quote
        for group in documents.values()
        for quote in sorted(group, key=lambda quote: quote.start)
    ]


def cited(quotes: list[Picked]) -> list[Citation]:
    """Citations of the quotes that stand in their document character by character; others are dropped."""
    citations: list[Citation] = []
    for quote in quotes:
        page = _verified_page(quote)
        if page is None:
            continue
        citations.append(
            Citation(
                n=len(citations) + 1,
                document_id=quote.hit.document_id,
                title=quote.hit.title,
                page=page or None,
                quote=quote.text,
                start=quote.start,
                end=quote.end,
                chunk_id=quote.hit.chunk_id,
            )
        )
    return citations


def _verified_page(quote: Picked) -> int | None:
    """The page the quote begins on (0 in a document without pages); None when the text is not there."""
    hit = quote.hit
    row = (
        DocumentVersion.objects.filter(id=hit.version_id)
        .annotate(piece=Substr("text", quote.start + 1, quote.end - quote.start))
        .values("piece", "pages")
        .first()
    )
    if row is None or row["piece"] != quote.text:
        log.error("quote_not_verified", chunk=str(hit.chunk_id), version=str(hit.version_id))
        return None
    for page in row["pages"]:
        if page["start"] <= quote.start < page["end"]:
            return int(page["number"])
    return hit.page or 0
