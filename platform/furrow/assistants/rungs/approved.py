"""Answers the owner approved, word for word, when the question is surely the one they were written for.

One that is only probably meant is given under its own question, so that nobody takes it for an answer to another; what
merely comes near is offered to choose from ("did you mean"), whoever answers in the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any, cast
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from numpy.typing import NDArray

from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import LadderContext, Near, Question, RungResult, answered, passed
from furrow.assistants.models import ApprovedAnswer
from furrow.assistants.nearness import Neighbourhood
from furrow.assistants.phrases import phrase
from furrow.assistants.pins import pinned_citation
from furrow.assistants.recognition import SURE, entry_of, has_subject_of, recognised
from furrow.assistants.similarity import Profile, may_match, profile, similarity
from furrow.core.context import current_tenant_id, tenant_tx
from furrow.core.errors import LimitReached, UpstreamFailed
from furrow.gateway.embeddings import embed_texts

# Below it two questions may differ in the one word that matters.
THRESHOLD = 0.86
# Two different answers this close to each other mean that the wording does not decide between them.
MARGIN = 0.05
# What is recognised by its subject lies closer together, between `recognition.SURE` and 0.97: a fifth of its rank.
SUBJECT_MARGIN = 0.02

# By meaning alone: "delivery to Tibet" and "delivery to Xinjiang" reach 0.8 with small models.
MEANING = 0.93
NEAR_COUNT, NEAR_WORDINGS = 8, 24
NEAR_OFFERED = 3


@dataclass(frozen=True)
class Candidate:
    answer_id: UUID
    answer: str
    wordings: tuple[str, ...]
    pinned_document_id: UUID | None = None


@dataclass(frozen=True)
class Match:
    """`score` says how surely it is meant, by its wording (`worded`) or by what it is about; `near` how close it comes
    at all; `is_named`: the answer's own question and this one name the same.
    """

    candidate: Candidate
    worded: float
    subject: float = 0.0
    near: float = 0.0
    is_named: bool = False

    @property
    def score(self) -> float:
        return max(self.worded, self.subject)

    @property
    def is_worded(self) -> bool:
        return self.worded >= THRESHOLD


class ApprovedRung:
    """One query a turn; matching is arithmetic on the wordings."""

    name = "approved"

    def try_answer(
        self, question: Question, config: AssistantConfig, ctx: LadderContext
    ) -> RungResult:
        with tenant_tx(current_tenant_id()):
            candidates = candidates_of(config.assistant_id, timezone.localdate())
        if not candidates:
            return passed("none_approved")
        matches = ranked(question.text, candidates)
        if matches[0].score < THRESHOLD and question.language in settings.EMBEDDINGS_LANGUAGES:
            matches = by_meaning(question.text, matches)
        choice = decided(matches)
        near = close_ones(matches, but=choice.match)
        if choice.match is None:
            result = passed(choice.reason, best=round(matches[0].score, 3))
        else:
            result = _given(choice, question.language)
        # Beside what surely answers there is nothing to ask back.
        return result if choice.is_sure else replace(result, near=near)


@dataclass(frozen=True)
class Choice:
    """Which answer is given, or None and why. Not `is_sure`: probably meant, and said under its own question."""

    match: Match | None
    reason: str = ""
    is_sure: bool = False


def decided(matches: Sequence[Match]) -> Choice:
    """`matches` are ranked."""
    best, *others = matches
    if best.score < THRESHOLD:
        return Choice(None, "no_match")
    if best.is_worded:
        rival = max((other.score for other in others), default=0.0)
        if best.worded < 1 and best.worded - rival < MARGIN:
            return Choice(None, "ambiguous")
        return Choice(best, is_sure=True)
    rival = max((other.subject for other in others), default=0.0)
    if best.subject < SURE or best.subject - rival < SUBJECT_MARGIN:
        return Choice(None, "ambiguous")
    return Choice(best, is_sure=best.is_named)


def close_ones(matches: Sequence[Match], *, but: Match | None) -> tuple[Near, ...]:
    """What comes near enough to be offered, the nearest first; passages that the owner pinned have no question of
    their own to choose.
    """
    rows = sorted(matches, key=lambda match: -match.near)
    return tuple(
        Near(match.candidate.wordings[0], round(match.near, 3))
        for match in rows
        if match is not but and match.candidate.pinned_document_id is None and match.near > 0
    )[:NEAR_OFFERED]


def _given(choice: Choice, language: str) -> RungResult:
    match = cast("Match", choice.match)
    candidate = match.candidate
    notes: dict[str, Any] = {
        "approved_answer_id": str(candidate.answer_id),
        "score": round(match.score, 3),
    }
    on_stored = partial(count_use, candidate.answer_id)
    if candidate.pinned_document_id is None:
        text = candidate.answer
        if not choice.is_sure:
            notes["is_sure"] = False
            text = f"{phrase('about_question', language, question=candidate.wordings[0])}\n{text}"
        return answered(text, on_stored=on_stored, notes=notes)
    with tenant_tx(current_tenant_id()):
        citation = pinned_citation(candidate.pinned_document_id, candidate.answer)
    if citation is None:
        return passed("pin_outdated", **notes)
    text = f"{candidate.answer} [1]"
    return answered(text, citations=(citation,), on_stored=on_stored, notes=notes)


def candidates_of(assistant_id: UUID, today: date) -> list[Candidate]:
    """The answers in force on `today`, the latest changed first, so that it wins between two equals."""
    rows = (
        ApprovedAnswer.objects.filter(assistant_id=assistant_id, is_enabled=True)
        .filter(Q(valid_from=None) | Q(valid_from__lte=today))
        .filter(Q(valid_to=None) | Q(valid_to__gte=today))
        .order_by("-updated_at")
    )
    return [
        Candidate(row.id, row.answer, (row.question, *row.variants), row.pinned_document_id)
        for row in rows
    ]


def ranked(text: str, candidates: list[Candidate]) -> list[Match]:
    """Best first: what is worded alike, then what comes nearest."""
    asked = profile(text)
    entries = [(each.wordings, each.answer) for each in candidates]
    near = Neighbourhood(entries).nearness(text)
    matches = [
        _match(text, asked, each, how_near) for each, how_near in zip(candidates, near, strict=True)
    ]
    return _best_first(matches)


def _best_first(matches: Sequence[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: (-match.worded * match.is_worded, -match.near))


def _match(text: str, asked: Profile, candidate: Candidate, near: float) -> Match:
    worded = max(similarity(asked, profile(wording)) for wording in candidate.wordings)
    if worded >= THRESHOLD or candidate.pinned_document_id is not None:
        # A passage holds many other words: what it is about is only its question.
        return Match(candidate, worded, near=near)
    entry = entry_of(candidate.wordings, candidate.answer)
    return Match(candidate, worded, recognised(text, entry), near, has_subject_of(text, entry))


def by_meaning(text: str, matches: list[Match]) -> list[Match]:
    """Looks again, by embedding, at wordings that come near and do not contradict the question; at a model
    server that is away the first look stands.
    """
    asked = profile(text)
    near = [
        (match, wording)
        for match in matches[:NEAR_COUNT]
        for wording in match.candidate.wordings
        if may_match(asked, profile(wording))
    ][:NEAR_WORDINGS]
    if not near:
        return matches
    try:
        vectors = embed_texts([text, *(wording for _, wording in near)])
    except (UpstreamFailed, LimitReached):
        return matches
    question_vector = np.asarray(vectors[0])
    raised = {match.candidate.answer_id: match for match in matches}
    for (match, _), vector in zip(near, vectors[1:], strict=True):
        meaning = _cosine(question_vector, np.asarray(vector))
        known = raised[match.candidate.answer_id]
        if meaning >= MEANING and meaning > known.score:
            raised[match.candidate.answer_id] = replace(known, worded=meaning)
    return _best_first(list(raised.values()))


def _cosine(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    norm = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / norm if norm else 0.0


def count_use(answer_id: UUID) -> None:
    ApprovedAnswer.objects.filter(id=answer_id).update(used_count=F("used_count") + 1)
