"""What an answer may still be when a budget runs low: steps an owner chose, from a shorter answer to a person.

A step is data: `{"at": 80, "step": "shorter", "max_tokens": 256}`, `at` in percent of the budget's soft cap, or
of its hard one. They stand on budgets (`Budget.steps`); an assistant may bring its own for budgets without any.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from django.conf import settings
from django.db import connection

from furrow.core.context import current_tenant_id
from furrow.core.errors import Invalid
from furrow.metering.attribution import Attribution, current_attribution

StepName = Literal["full", "shorter", "cheaper", "quoted", "approved", "human"]
# From the best answer to the last resort.
ORDER: tuple[StepName, ...] = ("full", "shorter", "cheaper", "quoted", "approved", "human")
MOST_STEPS = 5


@dataclass(frozen=True, slots=True)
class Step:
    """How far to step down, and for which budget. `shorter` says how long, `cheaper` with which model; from
    `quoted` on no model writes: only quotes, only approved answers and facts, or only a person.
    """

    name: StepName = "full"
    max_tokens: int | None = None
    model: str | None = None
    scope: str = ""
    used_percent: int = 0

    @property
    def may_write(self) -> bool:
        return ORDER.index(self.name) < ORDER.index("quoted")

    def as_json(self) -> dict[str, Any]:
        """For the trace of a turn."""
        return asdict(self)


_USED = """
SELECT b.scope, floor((b.posted + b.held) * 100 / nullif(coalesce(b.cap_soft, b.cap_hard), 0)),
       b.cap_hard IS NOT NULL AND b.posted + b.held >= b.cap_hard, coalesce(g.steps, '[]'::jsonb)
  FROM metering_balance b LEFT JOIN metering_budget g ON g.tenant_id = b.tenant_id AND g.id = b.budget_id
 WHERE b.tenant_id = %(tenant)s AND b.scope = ANY(%(scopes)s)
   AND (b.cap_hard IS NOT NULL OR b.cap_soft IS NOT NULL)
   AND b.period_start = metering_period_start(b.period, statement_timestamp(), %(zone)s)
"""


def step_for(
    *, attribution: Attribution | None = None, steps: Sequence[Mapping[str, Any]] = ()
) -> Step:
    """The step that the budgets of a call ask for now: of several the lowest. A budget without steps of its own
    takes `steps` (the assistant's). One that is used up allows no model whatever its steps say. Inside
    `tenant_tx`; one query.
    """
    who = attribution or current_attribution()
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "scopes": [*who.scopes(), "wallet"],
        "zone": settings.TIME_ZONE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_USED, values)
        rows = cursor.fetchall()
    found = [
        _of_budget(scope, int(used or 0), is_full, _listed(own) or steps)
        for scope, used, is_full, own in rows
    ]
    return max(found, key=lambda step: ORDER.index(step.name), default=Step())


def steps_checked(steps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The steps as they are stored, from early to late. Raises `Invalid`."""
    checked = [_checked(step) for step in steps]
    if len(checked) > MOST_STEPS or len({step["at"] for step in checked}) < len(checked):
        raise Invalid("Name at most five steps, each at a percentage of its own.", field="steps")
    return sorted(checked, key=lambda step: int(step["at"]))


def _listed(own: str) -> list[Mapping[str, Any]]:
    steps: list[Mapping[str, Any]] = json.loads(own)
    return steps


def _of_budget(scope: str, used: int, is_full: bool, steps: Sequence[Mapping[str, Any]]) -> Step:
    reached = [step for step in steps if step["at"] <= used]
    step = max(reached, key=lambda step: ORDER.index(step["step"]), default=None)
    name: StepName = step["step"] if step else "full"
    if is_full and ORDER.index(name) < ORDER.index("quoted"):
        return Step("quoted", scope=scope, used_percent=used)
    if step is None:
        return Step(scope=scope, used_percent=used)
    return Step(name, step.get("max_tokens"), step.get("model"), scope, used)


def _checked(step: Mapping[str, Any]) -> dict[str, Any]:
    at, name = step.get("at"), step.get("step")
    if type(at) is not int or not 1 <= at <= 100:
        raise Invalid("A step begins at 1 to 100 percent of the budget.", field="steps")
    if name not in ORDER[1:]:
        raise Invalid("This step does not exist.", field="steps", known=list(ORDER[1:]))
    kept: dict[str, Any] = {"at": at, "step": name}
    if name == "shorter":
        longest = step.get("max_tokens")
        if type(longest) is not int or not 1 <= longest <= 100_000:
            raise Invalid("A shorter answer needs its length in tokens.", field="steps")
        kept["max_tokens"] = longest
    if name == "cheaper":
        model = step.get("model")
        if not isinstance(model, str) or not 1 <= len(model) <= 160:
            raise Invalid("A cheaper model needs its name.", field="steps")
        kept["model"] = model
    return kept
