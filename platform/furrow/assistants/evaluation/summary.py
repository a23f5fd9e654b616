"""What a run came to: per side the counts, cost and latency; between two sides what was fixed and what broke."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from furrow.assistants.evaluation.models import EvaluationResult, EvaluationRun

Side = EvaluationResult.Side


@dataclass(frozen=True)
class Pair:
    """One question with its answers; `base` is None in a run of one side."""

    candidate: EvaluationResult
    base: EvaluationResult | None

    @property
    def change(self) -> str:
        """`broken`, `fixed`, or empty; known once both are answered and judged."""
        before = self.base.is_passed if self.base else None
        after = self.candidate.is_passed
        if before is None or after is None or before == after:
            return ""
        return "fixed" if after else "broken"


def pairs_of(results: Iterable[EvaluationResult]) -> list[Pair]:
    """In the order of the questions."""
    sides: dict[int, dict[str, EvaluationResult]] = {}
    for result in results:
        sides.setdefault(result.position, {})[result.side] = result
    return [
        Pair(by_side[Side.CANDIDATE], by_side.get(Side.BASE))
        for _, by_side in sorted(sides.items())
    ]


def summary_of(run: EvaluationRun) -> dict[str, Any]:
    """As JSON; amounts are decimal text."""
    results = list(EvaluationResult.objects.filter(run=run).defer("answer", "citations"))
    pairs = pairs_of(results)
    summary: dict[str, Any] = {
        side.value: _side([result for result in results if result.side == side]) for side in Side
    }
    for change in ("fixed", "broken"):
        summary[change] = sum(pair.change == change for pair in pairs)
    return summary


def _side(results: Sequence[EvaluationResult]) -> dict[str, Any]:
    durations = sorted(result.duration_ms or 0 for result in results)
    return {
        "asked": len(results),
        "passed": sum(result.is_passed is True for result in results),
        "failed": sum(result.is_passed is False for result in results),
        # Of these the answer says little: a server that they needed was away.
        "unavailable": sum(map(is_unavailable, results)),
        "cost": format(sum((result.cost_amount for result in results), Decimal(0)), "f"),
        "currency": results[0].cost_currency if results else "CNY",
        "median_ms": _share(durations, 0.5),
        "p95_ms": _share(durations, 0.95),
    }


def is_unavailable(result: EvaluationResult) -> bool:
    return any(step.get("reason") == "unavailable" for step in result.trace)


def _share(ordered: Sequence[int], share: float) -> int:
    """The value that this share of all lies at or below."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0
