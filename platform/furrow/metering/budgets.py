"""Budgets: limits an owner sets for the business, an assistant, a key, a member or each visitor. Inside
`tenant_tx`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from furrow.core.errors import Invalid, NotFound
from furrow.metering.balances import gate_pass
from furrow.metering.degrade import steps_checked
from furrow.metering.models import Balance, Budget
from furrow.metering.models.ledger import Period
from furrow.metering.money import exact
from furrow.tenants.services import Actor, audit

EACH = "*"
THRESHOLDS = (50, 80, 100)


def budget_set(  # noqa: PLR0913  a budget has that many sides
    *,
    actor: Actor,
    scope_kind: str,
    scope_id: str = "",
    period: str = Period.MONTH,
    cap_hard: Decimal | None = None,
    cap_soft: Decimal | None = None,
    thresholds: tuple[int, ...] = THRESHOLDS,
    steps: Sequence[Mapping[str, Any]] | None = None,
) -> Budget:
    """Sets or changes a limit, effective with the next call. Above `cap_hard` nothing is bought; at the
    `thresholds` (percent of `cap_soft`, or else of `cap_hard`) somebody is told. `steps` say how answers step
    down before that (`degrade`); None leaves them as they are.
    """
    _check(scope_kind, scope_id, period, thresholds, (cap_hard, cap_soft))
    down = {} if steps is None else {"steps": steps_checked(steps)}
    gate = gate_pass()
    caps = {
        "cap_hard": None if cap_hard is None else exact(cap_hard),
        "cap_soft": None if cap_soft is None else exact(cap_soft),
        "thresholds": sorted(set(thresholds)),
    }
    budget, is_new = Budget.objects.get_or_create(
        scope_kind=scope_kind,
        scope_id=scope_id,
        period=period,
        currency=gate.currency,
        defaults=caps | down,
    )
    if not is_new:
        since = {} if budget.is_active else {"active_since": Now()}
        Budget.objects.filter(id=budget.id).update(**caps, **down, **since, is_active=True)
        budget.refresh_from_db()
    _running_balances(budget).update(**caps, budget_id=budget.id)
    audit(
        actor,
        "budget.set",
        object_type="budget",
        object_id=budget.id,
        scope=f"{scope_kind}:{scope_id}",
        period=period,
        cap_hard=None if cap_hard is None else str(cap_hard),
    )
    return budget  # type: ignore[no-any-return]


def budget_end(*, actor: Actor, budget_id: Any) -> None:
    """Lifts a limit. A limit for each of the kind applies again at the next period."""
    gate_pass()
    if not Budget.objects.filter(id=budget_id, is_active=True).update(is_active=False):
        raise NotFound("This budget does not exist.")
    Balance.objects.filter(budget_id=budget_id).update(cap_hard=None, cap_soft=None, thresholds=[])
    audit(actor, "budget.ended", object_type="budget", object_id=budget_id)


def _running_balances(budget: Budget) -> QuerySet[Any]:
    """The rows of the period that runs now which this budget limits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT metering_period_start(%s, statement_timestamp(), %s)",
            [budget.period, settings.TIME_ZONE],
        )
        start = cursor.fetchone()[0]
    rows = Balance.objects.filter(
        period=budget.period, period_start=start, currency=budget.currency
    )
    if budget.scope_id == EACH:
        return rows.filter(budget_id=budget.id)
    name = f"{budget.scope_kind}:{budget.scope_id}" if budget.scope_id else budget.scope_kind
    return rows.filter(scope=name)


def _check(
    scope_kind: str,
    scope_id: str,
    period: str,
    thresholds: tuple[int, ...],
    caps: tuple[Decimal | None, ...],
) -> None:
    if scope_kind not in Budget.Kind.values:
        raise Invalid("This kind of budget does not exist.", field="scope_kind")
    if (scope_kind == Budget.Kind.TENANT) != (scope_id == "") or len(scope_id) > 64:
        raise Invalid("Name what the budget is for, or * for each.", field="scope_id")
    if period not in Period.values:
        raise Invalid("A budget runs for a day, a month or ever.", field="period")
    if not all(1 <= percent <= 1000 for percent in thresholds) or len(thresholds) > 10:
        raise Invalid("Thresholds are percentages.", field="thresholds")
    if all(cap is None for cap in caps):
        raise Invalid("Give at least one cap.", field="cap_hard")
    for cap in caps:
        if cap is not None and not (cap.is_finite() and 0 <= cap < 10**12):
            raise Invalid("A cap is an amount from 0 on.", field="cap_hard")
