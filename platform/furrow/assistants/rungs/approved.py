"""Answers the owner approved, word for word, when the question is surely the one they were written for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone
from numpy.typing import NDArray

from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import LadderContext, Question, RungResult, answered, passed
from furrow.assistants.models import ApprovedAnswer
from furrow.assistants.pins import pinned_citation
from furrow.assistants.recognition import entry_of, recognised
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


@dataclass(frozen=True)
class Candidate:
    answer_id: UUID
    answer: str
    wordings: tuple[str, ...]
    pinned_document_id: UUID | None = None


@dataclass(frozen=True)
class Match:
    """`is_worded`: its wording decided, not only what it is about."""

    candidate: Candidate
    score: float
    is_worded: bool = False


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
        best, reason = decided(matches)
        if best is None:
            return passed(reason, best=round(matches[0].score, 3))
        return _given(best)


def decided(matches: Sequence[Match]) -> tuple[Match | None, str]:
    """The match that is surely meant, or None and why; `matches` are ranked."""
    best = matches[0]
    if best.score < THRESHOLD:
        return None, "no_match"
    margin = (
        MARGIN if best.is_worded or (len(matches) > 1 and matches[1].is_worded) else SUBJECT_MARGIN
    )
    if len(matches) > 1 and best.score < 1 and best.score - matches[1].score < margin:
        return None, "ambiguous"
    return best, ""


def _given(match: Match) -> RungResult:
    candidate = match.candidate
    notes = {"approved_answer_id": str(candidate.answer_id), "score": round(match.score, 3)}
    on_stored = partial(count_use, candidate.answer_id)
    if candidate.pinned_document_id is None:
        return answered(candidate.answer, on_stored=on_stored, notes=notes)
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
    """Best first; a candidate counts by the wording of it that fits best, or by what it is about."""
    asked = profile(text)
    matches = [_match(text, asked, each) for each in candidates]
    return sorted(matches, key=lambda match: -match.score)


def _match(text: str, asked: Profile, candidate: Candidate) -> Match:
    alike = max(similarity(asked, profile(wording)) for wording in candidate.wordings)
    if alike >= THRESHOLD or candidate.pinned_document_id is not None:
        # A passage holds many other words: what it is about is only its question.
        return Match(candidate, alike, is_worded=True)
    subject = recognised(text, entry_of(candidate.wordings, candidate.answer))
    return Match(candidate, max(alike, subject), is_worded=alike > subject)


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
            raised[match.candidate.answer_id] = Match(match.candidate, meaning, is_worded=True)
    return sorted(raised.values(), key=lambda match: -match.score)


def _cosine(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    norm = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / norm if norm else 0.0


def count_use(answer_id: UUID) -> None:
    ApprovedAnswer.objects.filter(id=answer_id).update(used_count=F("used_count") + 1)
