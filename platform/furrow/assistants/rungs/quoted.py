"""Sentences of the documents, word for word, each with the place where it stands."""

from typing import Any

from furrow.assistants.config import AssistantConfig
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
from furrow.assistants.quotes import cited, completed, in_reading_order, pick
from furrow.core.context import current_tenant_id, tenant_tx
from furrow.knowledge.search import search

# A sentence beside the first may be half as sure: the first one answers, the others complete it.
FURTHER_SHARE = 0.5


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
        # What was put right in the question is what its answer is held against.
        picked = pick(found.question or query, found.hits, limit=config.quote_limit)
        if not picked:
            return passed("no_evidence", **notes)
        notes["confidence"] = round(picked[0].confidence, 3)
        if picked[0].confidence < config.threshold:
            return passed("no_evidence", **notes)
        kept = [quote for quote in picked if quote.confidence >= config.threshold * FURTHER_SHARE]
        with tenant_tx(current_tenant_id()):
            citations = cited(in_reading_order(completed(kept)))
        if not citations:
            return passed("quotes_not_verified", **notes)
        return _spoken(question.language, citations, notes)


def _spoken(language: str, citations: list[Citation], notes: dict[str, Any]) -> RungResult:
    pieces = [f"{citation.quote} [{citation.n}]" for citation in citations]
    if all(language_of(citation.quote, default=language) != language for citation in citations):
        pieces.insert(0, phrase("other_language", language))
    pieces = [*(f"{piece}\n" for piece in pieces[:-1]), pieces[-1]]
    return answered("".join(pieces), pieces=tuple(pieces), citations=tuple(citations), notes=notes)
