"""A second look at the best passages by a reranking model, when one is configured. Outside any transaction."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from django.conf import settings

from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.gateway.rerank import rerank_texts

if TYPE_CHECKING:
    from furrow.knowledge.search import Hit

# A cross-encoder reads each passage with the question: more would cost more time than it brings order.
MAX_RERANKED = 24


def reranked(query: str, hits: "Sequence[Hit]") -> "tuple[list[Hit], list[str]]":
    """The hits in the model's order, those beyond the first few behind them as they were, and notes."""
    first, rest = list(hits[:MAX_RERANKED]), list(hits[MAX_RERANKED:])
    if not settings.RERANK_MODEL or len(first) < 2:
        return [*first, *rest], []
    try:
        texts = [f"{hit.header}\n{hit.text}" if hit.header else hit.text for hit in first]
        scores = rerank_texts(query, texts)
    except UpstreamFailed:
        return [*first, *rest], ["rerank_unavailable"]
    except LimitReached:
        return [*first, *rest], ["rerank_not_paid"]
    scored = [
        replace(hit, scores={**hit.scores, "rerank": round(score, 4)})
        for hit, score in zip(first, scores, strict=True)
    ]
    order = sorted(range(len(scored)), key=lambda place: (-scores[place], place))
    # `score` stays a falling line, so that whoever cuts by it cuts from the end.
    falling = sorted((hit.score for hit in first), reverse=True)
    best = [
        replace(scored[place], score=score) for place, score in zip(order, falling, strict=True)
    ]
    return [*best, *rest], []
