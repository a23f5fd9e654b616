"""Money set aside before a model is called. Each is one statement that commits by itself outside a transaction,
which is how a call must be made: `hold_open` commits before the model is asked.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from furrow.core.context import current_tenant_id
from furrow.core.errors import Conflict
from furrow.metering.attribution import Attribution, current_attribution
from furrow.metering.errors import BudgetExceeded, ModelWithheld, PriceUnknown
from furrow.metering.models import Hold
from furrow.metering.prices import CallKind
from furrow.metering.trips import one_row

HOLD_TTL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most a call can use: all of its prompt, and `n` answers of `out_tokens`. Where budgets buy less, the
    answers may be shortened to `least_out`; without it the call is refused.
    """

    in_tokens: int
    out_tokens: int = 0
    n: int = 1
    least_out: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A hold that was opened. `out_tokens` is what it buys for each answer: the call is asked for no more."""

    id: UUID
    request_id: str
    amount: Decimal
    currency: str
    out_tokens: int
    expires_at: datetime


_OPEN = """
SELECT outcome, hold_id, amount, currency, out_tokens, expires_at, full_scope
  FROM metering_hold_open(%s, %s, %s, %s, %s, %s::text[], %s::jsonb, %s, %s, %s, %s, %s, %s)
"""

# Kept only where the caller has no transaction open that the refusal rolls back, as no call to a model has.
_USED_UP = "SELECT metering_used_up(%s, %s, %s, %s)"


def hold_open(
    *,
    request_id: str,
    model: str,
    bounds: Bounds,
    kind: CallKind = "chat",
    source: str = "own",
    attribution: Attribution | None = None,
    ttl: timedelta = HOLD_TTL,
) -> Held:
    """Sets aside what the call costs at most (nothing cached, the dearer of answering and thinking) on every
    balance it counts in. Raises `BudgetExceeded` when one has no room, `PriceUnknown` when there is no price,
    `ModelWithheld` when the operator keeps the model from this tenant, `Conflict` when the request has a hold already; then nothing was held.
    """
    who = attribution or current_attribution()
    row = one_row(
        _OPEN,
        (
            current_tenant_id(), request_id, source, kind, model, who.scopes(),
            json.dumps(who.as_json()), bounds.in_tokens, bounds.out_tokens, bounds.n, bounds.least_out,
            ttl, settings.TIME_ZONE,
        ),
    )  # fmt: skip
    outcome, hold_id, amount, currency, out_tokens, expires_at, full_scope = row
    if outcome == "held":
        return Held(hold_id, request_id, amount, currency, out_tokens, expires_at)
    if outcome == "full":
        one_row(_USED_UP, (current_tenant_id(), currency, full_scope, settings.TIME_ZONE))
    raise _refusal(outcome, model=model, currency=currency, full_scope=full_scope)


def _refusal(outcome: str, *, model: str, currency: str, full_scope: str) -> Exception:
    if outcome == "full":
        return BudgetExceeded("The budget for this is used up.", scope=full_scope)
    if outcome == "unpriced":
        return PriceUnknown(
            "This model has no price at the moment.", model=model, currency=currency
        )
    if outcome == "withheld":
        return ModelWithheld("This model is not open to this business.", model=model)
    return Conflict("This request has a hold already.", code="hold_exists")


def void(*, request_id: str) -> bool:
    """Ends the hold of a call that was never made, or that used nothing; False when it had ended before."""
    values: tuple[Any, ...] = (current_tenant_id(), request_id)
    return bool(one_row("SELECT metering_void(%s, %s)", values)[0])


def hold_extend(*, request_id: str, by: timedelta) -> bool:
    """Gives an open hold more time, counted from now."""
    return bool(
        Hold.objects.filter(request_id=request_id, state=Hold.State.OPEN).update(
            expires_at=Now() + by
        )
    )
