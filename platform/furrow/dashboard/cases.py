"""A bad answer on the repair page, wherever it came from: a turn of a chat or a result of a run. Inside `tenant_tx`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from furrow.assistants.config import AssistantConfig
from furrow.assistants.evaluation.judging import Expectation, Said
from furrow.assistants.evaluation.models import EvaluationResult, GoldenQuestion
from furrow.assistants.evaluation.selectors import result_get
from furrow.assistants.ladder import Exchange, Question
from furrow.assistants.language import language_of, short_language
from furrow.assistants.models import Assistant
from furrow.conversations.models import Turn
from furrow.conversations.selectors import earlier_exchanges, turn_get
from furrow.core.errors import NotFound


@dataclass(frozen=True)
class Case:
    """`row` is the turn or the result; `expectation` is empty where nothing was expected."""

    kind: str
    id: UUID
    row: Any
    assistant: Assistant
    question: str
    history: Sequence[Exchange]
    said: Said
    checks: Sequence[dict[str, Any]]
    expectation: dict[str, Any]

    def asked(self, config: AssistantConfig) -> Question:
        default = short_language(config.language)
        language = language_of(self.question, default=default)
        return Question(self.question, language, self.id, tuple(self.history))


def case_get(kind: str, case_id: UUID) -> Case:
    if kind == "turn":
        return _of_turn(turn_get(case_id))
    if kind == "result":
        return _of_result(result_get(case_id))
    raise NotFound("There is nothing here.")


def said_in(turn: Turn) -> Said:
    """A wish for a person goes straight to the last step; arriving there step by step means not knowing."""
    is_last = turn.rung == "human"
    return Said(
        rung=turn.rung,
        text=turn.answer,
        citations=turn.citations,
        is_gap=is_last and len(turn.trace) > 1,
        opens_ticket=is_last and len(turn.trace) <= 1,
    )


def _of_turn(turn: Turn) -> Case:
    return Case(
        kind="turn",
        id=turn.id,
        row=turn,
        assistant=turn.conversation.assistant,
        question=turn.text,
        history=earlier_exchanges(turn),
        said=said_in(turn),
        checks=(),
        expectation={},
    )


def _of_result(result: EvaluationResult) -> Case:
    is_last = result.rung == "human"
    golden: GoldenQuestion | None = result.golden
    # What is expected today counts, not what was expected when the run was made.
    expectation = Expectation.of_golden(golden).as_json() if golden else result.expectation
    return Case(
        kind="result",
        id=result.id,
        row=result,
        assistant=result.run.assistant,
        question=result.question,
        history=[Exchange(**turn) for turn in result.history],
        said=Said(
            rung=result.rung,
            text=result.answer,
            citations=result.citations,
            is_gap=is_last and len(result.trace) > 1,
            opens_ticket=is_last and len(result.trace) <= 1,
        ),
        checks=result.checks,
        expectation=expectation,
    )
