"""What the search brought for a question and what became of each passage: for the eyes of the owner."""

from collections.abc import Sequence
from dataclasses import dataclass

from furrow.assistants.config import AssistantConfig
from furrow.assistants.follow_up import search_query
from furrow.assistants.ladder import Question
from furrow.assistants.quotes import Picked, pick
from furrow.assistants.rungs.quoted import FURTHER_SHARE
from furrow.knowledge.search import Hit, search

# Beyond what the assistant looks at, to show what its limit cut off.
BEYOND = 4


@dataclass(frozen=True)
class Seen:
    """A passage and its `fate`: `quoted`; or why not: `unsure` (nothing was sure enough), `weaker` (beside the best
    too unsure), `outdone` (others fit better), `lacks_code`, `beyond_limit`.
    """

    hit: Hit
    fate: str
    confidence: float | None = None
    quote: str = ""


@dataclass(frozen=True)
class Evidence:
    """`query` is what was really searched for: a follow-up takes words of the question before along, and pinyin and
    typos are put right.
    """

    query: str
    is_follow_up: bool
    threshold: float
    seen: tuple[Seen, ...]
    notes: tuple[str, ...]


def evidence_of(question: Question, config: AssistantConfig) -> Evidence:
    """Searches as the assistant would. Outside a transaction: it may ask the model server for a vector."""
    query, is_follow_up = search_query(question)
    limit = config.search.limit
    found = search(
        knowledge_base_ids=config.knowledge_base_ids,
        query=query,
        limit=limit + BEYOND,
        mode=config.search.mode,
    )
    looked_at = found.hits[:limit]
    meant = found.question or query
    chosen = pick(meant, looked_at, limit=config.quote_limit)
    seen = [_seen(hit, meant, chosen, config.threshold) for hit in looked_at]
    seen += [Seen(hit, "beyond_limit") for hit in found.hits[limit:]]
    return Evidence(meant, is_follow_up, config.threshold, tuple(seen), tuple(found.notes))


def _seen(hit: Hit, query: str, chosen: Sequence[Picked], threshold: float) -> Seen:
    own = [quote for quote in chosen if quote.hit.chunk_id == hit.chunk_id]
    if not own:
        alone = pick(query, [hit], limit=1)
        if not alone:
            return Seen(hit, "lacks_code")
        return Seen(hit, "outdone", quote=alone[0].text)
    best = max(own, key=lambda quote: quote.confidence)
    if chosen[0].confidence < threshold:
        fate = "unsure"
    elif best.confidence < threshold * FURTHER_SHARE:
        fate = "weaker"
    else:
        fate = "quoted"
    return Seen(hit, fate, round(best.confidence, 3), best.text)
