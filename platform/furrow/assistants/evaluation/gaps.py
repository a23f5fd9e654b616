"""Asking open gaps again after a repair, so that those that are answered now leave the list."""

from collections.abc import Sequence

from furrow.assistants.evaluation.models import EvaluationResult, EvaluationRun, GoldenQuestion
from furrow.assistants.evaluation.runs import Asked, Kind, Subject, run_create
from furrow.assistants.models import Assistant, Gap

MOST_ASKED = 200


def gaps_ask(*, assistant: Assistant, gaps: Sequence[Gap]) -> EvaluationRun:
    """Asks what visitors get; a gap that is still open when the answer comes is marked as answered."""
    asked = [
        Asked(gap.question, {"expects": GoldenQuestion.Expects.ANSWER}, gap_id=gap.id)
        for gap in gaps[:MOST_ASKED]
    ]
    subject = Subject.published(assistant) or Subject.draft(assistant)
    return run_create(assistant=assistant, kind=Kind.GAPS, candidate=subject, asked=asked)


def gaps_fixed(run: EvaluationRun) -> None:
    fixed = EvaluationResult.objects.filter(run=run, is_passed=True, gap__isnull=False)
    Gap.objects.filter(id__in=fixed.values("gap_id"), state=Gap.State.OPEN).update(
        state=Gap.State.ANSWERED
    )
