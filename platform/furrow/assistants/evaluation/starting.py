"""The runs people ask for: the whole set, two sides beside each other, one typed question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from furrow.assistants.config import settings_check
from furrow.assistants.evaluation.models import EvaluationRun
from furrow.assistants.evaluation.runs import Asked, Kind, Subject, run_create
from furrow.assistants.models import Assistant
from furrow.assistants.selectors import assistant_version_get
from furrow.core.errors import Conflict, Invalid, LimitReached
from furrow.tenants.services import Actor, audit

MOST_WAITING = 5


@dataclass(frozen=True)
class Choice:
    """A side as a person names it: a version's number (None: the draft), and settings tried over it."""

    version: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def subject(self, assistant: Assistant) -> Subject:
        if self.version is None:
            subject = Subject.draft(assistant)
        else:
            subject = Subject.version(assistant_version_get(assistant, self.version))
        return subject.changed(settings_check(dict(self.settings)))


def evaluation_start(
    *,
    actor: Actor,
    assistant: Assistant,
    candidate: Choice,
    base: Choice | None = None,
    question: str = "",
) -> EvaluationRun:
    """Asks the golden set, or only `question`, of one side or of two."""
    if question and len(question.strip()) == 0:
        raise Invalid(_("Write a question first."), field="question")
    _few_waiting(assistant)
    sides = (candidate.subject(assistant), base.subject(assistant) if base else None)
    if sides[1] is not None and sides[0].config == sides[1].config:
        raise Conflict(_("Both sides are the same: choose two versions that differ."))
    run = run_create(
        assistant=assistant,
        kind=Kind.COMPARE if base else Kind.MANUAL,
        candidate=sides[0],
        base=sides[1],
        asked=[Asked(question.strip())] if question else None,
    )
    audit(actor, "evaluation.started", object_type="assistant", object_id=assistant.id)
    return run


def _few_waiting(assistant: Assistant) -> None:
    """Each may cost tokens and keeps a worker busy."""
    waiting = EvaluationRun.objects.filter(
        assistant=assistant,
        state__in=[EvaluationRun.State.QUEUED, EvaluationRun.State.RUNNING],
    )
    if waiting.count() >= MOST_WAITING:
        raise LimitReached(_("Several runs are under way already; wait for one to end."))
