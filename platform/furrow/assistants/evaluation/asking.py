"""The job of a run: asks one question after the other through the real ladder, in slices.

Nothing of it reaches a visitor's figures: no conversation, no gap, no use of an approved answer is counted, and no
visitor is named as payer. The tokens are metered like any others, in the channel `evaluation`.
"""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from furrow.assistants.config import AssistantConfig
from furrow.assistants.evaluation.gaps import gaps_fixed
from furrow.assistants.evaluation.gate import check_decide
from furrow.assistants.evaluation.judging import Expectation, Said, judge
from furrow.assistants.evaluation.models import EvaluationResult, EvaluationRun
from furrow.assistants.evaluation.summary import summary_of
from furrow.assistants.ladder import Answer, Exchange, Question, climb
from furrow.assistants.language import language_of, short_language
from furrow.core.context import tenant_tx
from furrow.core.extensions import JobRun
from furrow.core.jobs import ContinueLater
from furrow.metering.attribution import attributed
from furrow.metering.selectors import charged_for

CHANNEL = "evaluation"
SLICE_S = 8.0
State = EvaluationRun.State


class EvaluationHandler:
    """Running twice is harmless: a question that has its answer is not asked again, and an answer is stored only
    under the lease and only where none is yet.
    """

    def run(self, job: JobRun) -> None:
        begun = time.monotonic()
        run = self._begin(job)
        if run is None:
            return
        while (result := _next(job.tenant_id, run)) is not None:
            if time.monotonic() - begun > SLICE_S:
                raise ContinueLater
            _ask(job, run, result)
        with tenant_tx(job.tenant_id):
            # In this order: a run that was cancelled meanwhile must decide nothing.
            job.renew()
            run_finish(run)

    def failed(self, subject_id: UUID, code: str, message: str) -> None:
        run = EvaluationRun.objects.filter(id=subject_id).first()
        if run is not None and run.is_active:
            _end(run, State.FAILED, code=code)

    def _begin(self, job: JobRun) -> EvaluationRun | None:
        """None when the run was ended in between."""
        with tenant_tx(job.tenant_id):
            active = EvaluationRun.objects.filter(
                id=job.subject_id, state__in=[State.QUEUED, State.RUNNING]
            )
            active.update(state=State.RUNNING)
            run: EvaluationRun | None = active.select_related("assistant").first()
            return run


def _next(tenant_id: UUID, run: EvaluationRun) -> EvaluationResult | None:
    with tenant_tx(tenant_id):
        waiting = EvaluationResult.objects.filter(run=run, is_done=False)
        result: EvaluationResult | None = waiting.order_by("position", "-side").first()
        return result


def _ask(job: JobRun, run: EvaluationRun, result: EvaluationResult) -> None:
    is_base = result.side == EvaluationResult.Side.BASE
    config = AssistantConfig.of_json(
        run.assistant_id, run.base_config if is_base and run.base_config else run.config
    )
    # The id alone decides; the time only keeps the search short, whatever the two clocks say.
    since = timezone.now() - timedelta(hours=1)
    started = time.monotonic()
    with attributed(assistant_id=run.assistant_id, channel=CHANNEL, turn_id=result.id):
        answer = climb(question_of(result, config), config, _ignored, _ignored)
    duration_ms = round((time.monotonic() - started) * 1000)
    with tenant_tx(job.tenant_id):
        job.renew()
        amount, currency = charged_for(turn_id=result.id, since=since)
        stored = {
            **answer_fields(answer),
            **_verdict(result, answer),
            "duration_ms": duration_ms,
            "cost_amount": amount,
            "is_done": True,
        }
        if currency:
            stored["cost_currency"] = currency
        EvaluationResult.objects.filter(id=result.id, is_done=False).update(**stored)


def question_of(result: EvaluationResult, config: AssistantConfig) -> Question:
    """As a visitor would ask it in a chat of its own; `conversation_id` names no conversation."""
    default = short_language(config.language)
    return Question(
        text=result.question,
        language=language_of(result.question, default=default),
        conversation_id=result.id,
        history=tuple(Exchange(**turn) for turn in result.history),
    )


def answer_fields(answer: Answer) -> dict[str, Any]:
    return {
        "rung": answer.rung,
        "answer": answer.text,
        "citations": [citation.as_json() for citation in answer.citations],
        "usage": dict(answer.usage),
        "trace": list(answer.trace),
    }


def said_of(answer: Answer) -> Said:
    return Said(
        rung=answer.rung,
        text=answer.text,
        citations=[citation.as_json() for citation in answer.citations],
        is_gap=answer.is_gap,
        opens_ticket=answer.opens_ticket,
    )


def _verdict(result: EvaluationResult, answer: Answer) -> dict[str, Any]:
    if not result.expectation:
        return {}
    verdict = judge(Expectation.of_json(result.expectation), said_of(answer))
    return {"is_passed": verdict.is_passed, "checks": verdict.checks_json}


def run_finish(run: EvaluationRun) -> None:
    """Sums up; whoever waits for the run goes on in the same transaction."""
    run.summary = summary_of(run)
    _end(run, State.DONE)


def _end(run: EvaluationRun, state: str, *, code: str = "") -> None:
    run.state, run.error_code, run.finished_at = state, code[:60], timezone.now()
    run.save(update_fields=["state", "error_code", "finished_at", "summary"])
    if run.kind == EvaluationRun.Kind.PUBLISH:
        check_decide(run)
    elif run.kind == EvaluationRun.Kind.GAPS and state == State.DONE:
        gaps_fixed(run)


def _ignored(_: Any) -> None:
    """Nobody follows the answer of a run."""
