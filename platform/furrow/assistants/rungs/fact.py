"""Live facts of the trades: each trade registers its own under `extensions.facts`, and the first that knows speaks."""

from typing import Any

from furrow.assistants.config import AssistantConfig
from furrow.assistants.ladder import LadderContext, Question, RungResult, passed
from furrow.core.extensions import extensions


class FactRung:
    """Asks the trades in the order of their keys, so that no order of apps can matter."""

    name = "fact"

    def try_answer(
        self, question: Question, config: AssistantConfig, ctx: LadderContext
    ) -> RungResult:
        if not extensions.facts:
            return passed("not_installed")
        why: dict[str, Any] = {}
        for key in sorted(extensions.facts):
            result: RungResult = extensions.facts[key].try_answer(question, config, ctx)
            if result.is_answered:
                return result
            why[key] = result.reason
        # One trade is the usual case, and its reason is then the rung's.
        return passed(result.reason if len(why) == 1 else "no_fact", trades=why)
