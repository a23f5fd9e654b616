"""Making a run and ending it, inside `tenant_tx`. What a run asks is frozen when it is made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from furrow.assistants.config import draft_json, rungs_with_writing
from furrow.assistants.evaluation.judging import Expectation
from furrow.assistants.evaluation.models import EvaluationResult, EvaluationRun, GoldenQuestion
from furrow.assistants.models import Assistant, AssistantVersion
from furrow.core.errors import Conflict, Invalid
from furrow.core.jobs import job_cancel, job_enqueue

RUN_JOB = "assistants.evaluation"
# Long sets wait beside the files, away from the visitors; one typed question is answered like a chat.
LANE, SHORT_LANE = "ingest", "chat"
KEPT_RUNS = 200
QUESTION_LENGTH = 2000
Kind, State, Side = EvaluationRun.Kind, EvaluationRun.State, EvaluationResult.Side


@dataclass(frozen=True)
class Subject:
    """A configuration that is asked; `version_number` None is the draft."""

    config: dict[str, Any]
    version_number: int | None = None

    @classmethod
    def draft(cls, assistant: Assistant) -> "Subject":
        return cls(draft_json(assistant))

    @classmethod
    def version(cls, version: AssistantVersion) -> "Subject":
        return cls(version.config, version.number)

    @classmethod
    def published(cls, assistant: Assistant) -> "Subject | None":
        return cls.version(assistant.published) if assistant.published else None

    def changed(self, settings: Mapping[str, Any]) -> "Subject":
        """The same with other settings: something nobody saved."""
        if not settings:
            return self
        own = self.config["settings"]
        merged = {
            name: {**own.get(name, {}), **value} if isinstance(value, Mapping) else value
            for name, value in settings.items()
        }
        config = {**self.config, "settings": {**own, **merged}}
        if settings.get("composed", {}).get("enabled"):
            config["rungs"] = rungs_with_writing(config["rungs"])
        return Subject(config)


@dataclass(frozen=True)
class Asked:
    """A question of a run and what is expected of its answer; an empty expectation is not judged."""

    question: str
    expectation: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, str]] = field(default_factory=list)
    golden_id: UUID | None = None
    gap_id: UUID | None = None


def golden_asked(assistant: Assistant) -> list[Asked]:
    rows = GoldenQuestion.objects.filter(assistant=assistant, is_enabled=True)
    return [
        Asked(row.question, Expectation.of_golden(row).as_json(), row.history, golden_id=row.id)
        for row in rows.select_related("document").order_by("created_at", "id")
    ]


@transaction.atomic
def run_create(
    *,
    assistant: Assistant,
    kind: str,
    candidate: Subject,
    base: Subject | None = None,
    asked: Sequence[Asked] | None = None,
    about_id: UUID | None = None,
) -> EvaluationRun:
    """Freezes the questions (by default the golden set) for each side and asks a worker to begin."""
    questions = golden_asked(assistant) if asked is None else asked
    if not questions:
        raise Invalid(_("There is no question to ask yet."), code="nothing_to_ask")
    if any(len(each.question) > QUESTION_LENGTH or not each.question for each in questions):
        raise Invalid(
            _("A question may have up to %(count)s characters.") % {"count": QUESTION_LENGTH},
            field="question",
        )
    run: EvaluationRun = EvaluationRun.objects.create(
        assistant=assistant,
        kind=kind,
        config=candidate.config,
        version_number=candidate.version_number,
        base_config=base.config if base else None,
        base_version_number=base.version_number if base else None,
        about_id=about_id,
    )
    EvaluationResult.objects.bulk_create(_results(run, questions, has_base=base is not None))
    lane = SHORT_LANE if kind == Kind.REPAIR or len(questions) == 1 else LANE
    job_enqueue(kind=RUN_JOB, subject_id=run.id, lane=lane)
    _old_runs_delete(assistant)
    return run


def _results(
    run: EvaluationRun, questions: Sequence[Asked], *, has_base: bool
) -> Iterable[EvaluationResult]:
    sides = [Side.CANDIDATE, Side.BASE] if has_base else [Side.CANDIDATE]
    for position, each in enumerate(questions):
        for side in sides:
            yield EvaluationResult(
                tenant_id=run.tenant_id,
                run=run,
                golden_id=each.golden_id,
                gap_id=each.gap_id,
                side=side,
                position=position,
                question=each.question,
                history=each.history,
                expectation=each.expectation,
            )


@transaction.atomic
def run_cancel(*, run: EvaluationRun) -> None:
    """What was answered is kept; a worker that is at it notices before it stores the next answer."""
    # The job first: a worker that finishes takes the two rows in the same order.
    job_cancel(kind=RUN_JOB, subject_id=run.id)
    changed = EvaluationRun.objects.filter(id=run.id, state__in=[State.QUEUED, State.RUNNING])
    if not changed.update(state=State.CANCELLED, finished_at=timezone.now()):
        raise Conflict(_("This run has ended already."))


def _old_runs_delete(assistant: Assistant) -> None:
    """The latest runs stay, so that answers of years do not pile up."""
    recent = EvaluationRun.objects.filter(assistant=assistant).order_by("-created_at")
    spare = list(recent.values_list("id", flat=True)[KEPT_RUNS : KEPT_RUNS + 20])
    EvaluationRun.objects.filter(id__in=spare).exclude(
        state__in=[State.QUEUED, State.RUNNING]
    ).delete()
