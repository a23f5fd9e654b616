"""Sentences of the documents, word for word, each with the place where it stands."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models.functions import Substr

from furrow.assistants.config import AssistantConfig
from furrow.assistants.figures import codes_of
from furrow.assistants.follow_up import search_query
from furrow.assistants.ladder import (
    Citation,
    LadderContext,
    Question,
    RungResult,
    answered,
    passed,
)
from furrow.assistants.language import language_of
from furrow.assistants.phrases import phrase
from furrow.core.context import current_tenant_id, tenant_tx
from furrow.core.logs import get_logger
from furrow.knowledge.models import DocumentVersion
from furrow.knowledge.quoting import Passage, Quote, pick_sentences
from furrow.knowledge.search import Hit, search
from furrow.knowledge.text.folding import fold

log = get_logger(__name__)

# A sentence beside the first may be half as sure: the first one answers, the others complete it.
FURTHER_SHARE = 0.5
_NOT_ALNUM = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Picked:
    """A quote with the hit it was found in, both in the document's own offsets."""

    hit: Hit
    text: str
    start: int
    end: int
    confidence: float


class QuotedRung:
    """Search, choose sentences, check each against the stored document, cite."""

    name = "quoted"

    def try_answer(
        self, question: Question, config: AssistantConfig, ctx: LadderContext
    ) -> RungResult:
        ctx.stage("searching")
        query, is_follow_up = search_query(question)
        notes: dict[str, Any] = {"is_follow_up": is_follow_up}
        if not config.knowledge_base_ids:
            return passed("no_documents", **notes)
        # It opens its own short transactions, with the model server asked between them.
        found = search(
            knowledge_base_ids=config.knowledge_base_ids,
            query=query,
            limit=config.search.limit,
            mode=config.search.mode,
        )
        notes |= {"hits": len(found.hits), "search_notes": list(found.notes)}
        picked = pick(query, found.hits, limit=config.quote_limit)
        if not picked:
            return passed("no_evidence", **notes)
        notes["confidence"] = round(picked[0].confidence, 3)
        if picked[0].confidence < config.threshold:
            return passed("no_evidence", **notes)
        kept = [quote for quote in picked if quote.confidence >= config.threshold * FURTHER_SHARE]
        with tenant_tx(current_tenant_id()):
            citations = cited(in_reading_order(kept))
        if not citations:
            return passed("quotes_not_verified", **notes)
        return _spoken(question.language, citations, notes)


def pick(query: str, hits: list[Hit], *, limit: int) -> list[Picked]:
    """The sentences that answer best, best first. A code in the question must stand in the passage."""
    codes = codes_of(query)
    usable = {hit.chunk_id: hit for hit in hits if _names_all(hit, codes)}
    scores = _scores(list(usable.values()))
    passages = [
        Passage(
            id=hit.chunk_id,
            text=hit.text,
            document_title=hit.title,
            heading_path=" ".join(hit.heading_path),
            score=scores[hit.chunk_id],
        )
        for hit in usable.values()
    ]
    quotes = pick_sentences(query, passages, limit=limit)
    return [_picked(usable[quote.passage_id], quote) for quote in quotes]  # type: ignore[index]


def _names_all(hit: Hit, codes: frozenset[str]) -> bool:
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


def _picked(hit: Hit, quote: Quote) -> Picked:
    return Picked(hit, quote.text, hit.start + quote.start, hit.start + quote.end, quote.confidence)


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


def _spoken(language: str, citations: list[Citation], notes: dict[str, Any]) -> RungResult:
    pieces = [f"{citation.quote} [{citation.n}]" for citation in citations]
    if all(language_of(citation.quote, default=language) != language for citation in citations):
        pieces.insert(0, phrase("other_language", language))
    pieces = [*(f"{piece}\n" for piece in pieces[:-1]), pieces[-1]]
    return answered("".join(pieces), pieces=tuple(pieces), citations=tuple(citations), notes=notes)
