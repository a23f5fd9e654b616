"""Finding what the model may write from: the question made whole, the passages in the order of their worth."""

from dataclasses import dataclass, field
from typing import Any

from furrow.assistants.config import AssistantConfig
from furrow.assistants.figures import codes_of
from furrow.assistants.follow_up import search_query
from furrow.assistants.ladder import Question
from furrow.assistants.quotes import names_all, pick
from furrow.assistants.rungs.composed_prompt import rewrite_messages
from furrow.assistants.verifier.answer import Passage
from furrow.assistants.verifier.commands import without_commands
from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.gateway.writing import Manner, Writer
from furrow.knowledge.search import Hit, search

REWRITE_TOKENS, REWRITE_LENGTH = 96, 300
MOST_PASSAGES = 6


@dataclass
class Read:
    """`query` is what was really searched for. `hits` and `passages` run side by side; a passage's number is its place from 1."""

    query: str
    hits: list[Hit]
    confidence: float
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def passages(self) -> list[Passage]:
        return [
            Passage(n, without_commands(hit.text), " › ".join([hit.title, *hit.heading_path]))
            for n, hit in enumerate(self.hits, start=1)
        ]


def read(question: Question, config: AssistantConfig, model: str | None) -> Read:
    """Rules complete a follow-up question first; where they find nothing sure, the model rewrites it."""
    query, is_follow_up = search_query(question)
    found = _found(query, config, question)
    found.notes["is_follow_up"] = is_follow_up
    if is_follow_up and found.confidence < config.threshold:
        rewritten = _rewritten(question, model)
        if rewritten and rewritten != query:
            again = _found(rewritten, config, question)
            if again.confidence > found.confidence:
                again.notes |= {"is_follow_up": True, "is_rewritten": True}
                return again
    return found


def _found(query: str, config: AssistantConfig, question: Question) -> Read:
    # It opens its own short transactions, with the model server asked between them.
    result = search(
        knowledge_base_ids=config.knowledge_base_ids,
        query=query,
        limit=config.search.limit,
        mode=config.search.mode,
    )
    codes = codes_of(question.text)
    hits = [hit for hit in result.hits if names_all(hit, codes)][:MOST_PASSAGES]
    # With what the search put right: pinyin, a typo.
    meant = result.question or query
    picked = pick(meant, hits, limit=1)
    notes = {"hits": len(hits), "search_notes": list(result.notes)}
    return Read(meant, hits, picked[0].confidence if picked else 0.0, notes)


def _rewritten(question: Question, model: str | None) -> str:
    writer = Writer(Manner(max_tokens=REWRITE_TOKENS, model=model, thinking=False))
    try:
        lines = writer.whole(rewrite_messages(question)).splitlines()
    except (LimitReached, UpstreamFailed):
        return ""
    return lines[0].strip()[:REWRITE_LENGTH] if lines else ""
