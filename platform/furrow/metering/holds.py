"""Money set aside before a model is called. Everything here runs inside `tenant_tx`; `hold_open` must commit
before the call it is for, so callers give it a transaction of its own.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from uuid import uuid4

from django.db import connection
from django.db.models.functions import Now

from furrow.core.errors import Conflict
from furrow.metering.attribution import Attribution, current_attribution
from furrow.metering.balances import (
    ENSURE,
    GATE,
    MATCHING,
    account_read,
    balance_values,
    balances_ensure,
    gate_pass,
    last_row,
    room_left,
)
from furrow.metering.errors import BudgetExceeded
from furrow.metering.models import Hold
from furrow.metering.models.usage import BUCKETS
from furrow.metering.money import UNIT, ZERO, exact, tokens_cost
from furrow.metering.prices import CallKind, Prices, prices_now

HOLD_TTL = timedelta(minutes=5)
# Each bucket is rounded by itself when it is paid.
_ROUNDING = UNIT * len(BUCKETS)


@dataclass(frozen=True)
class Bounds:
    """The most a call can use: all of its prompt, and `n` answers of `out_tokens`. Where budgets buy less, the
    answers may be shortened to `least_out`; without it the call is refused.
    """

    in_tokens: int
    out_tokens: int = 0
    n: int = 1
    least_out: int | None = None


def bound_cost(prices: Prices, bounds: Bounds) -> Decimal:
    """What a call costs at most: nothing cached, and the dearer of answering and thinking."""
    price = prices.buckets
    dear_in = max(price["in_hit"].per_million, price["in_miss"].per_million)
    dear_out = max(price["out"].per_million, price["reasoning"].per_million)
    cost = tokens_cost(bounds.in_tokens, dear_in)
    cost += tokens_cost(bounds.out_tokens * bounds.n, dear_out)
    return exact(cost + _ROUNDING) if cost else ZERO


# Sent as one message, so that the gate is closed for no longer than the database needs: lock the account,
# make missing balances, and then raise what is held on every balance that has room and store the hold.
# Each statement sees what was committed before it began. A balance without room makes the caller roll back.
_OPEN = f"""
{GATE};
{ENSURE};
WITH target AS (
    SELECT b.id, b.scope, b.cap_hard IS NULL OR b.posted + b.held + %(amount)s <= b.cap_hard AS has_room
      FROM metering_balance b WHERE {MATCHING} ORDER BY b.id FOR NO KEY UPDATE
), raised AS (
    UPDATE metering_balance b SET held = b.held + %(amount)s FROM target
     WHERE b.id = target.id AND (b.cap_hard IS NULL OR b.posted + b.held + %(amount)s <= b.cap_hard)
    RETURNING b.id
), stored AS (
    INSERT INTO metering_hold (id, tenant_id, request_id, source, kind, model, scopes, balance_ids,
        attribution, currency, amount, prices, book_version, state, started_at, expires_at)
    SELECT %(id)s, %(tenant)s, %(request_id)s, %(source)s, %(kind)s, %(model)s, %(scopes)s,
           (SELECT coalesce(array_agg(id), '{{}}') FROM raised), %(attribution)s, %(currency)s,
           %(amount)s, %(prices)s, %(book)s, 'open', %(moment)s, statement_timestamp() + %(ttl)s
    ON CONFLICT (tenant_id, request_id) DO NOTHING RETURNING expires_at
)
SELECT (SELECT array_agg(id) FROM target), (SELECT array_agg(id) FROM raised),
       (SELECT min(scope) FROM target WHERE NOT has_room), (SELECT expires_at FROM stored)
"""  # noqa: S608  fixed texts


def hold_open(
    *,
    request_id: str,
    model: str,
    bounds: Bounds,
    kind: CallKind = "chat",
    source: str = "own",
    attribution: Attribution | None = None,
    ttl: timedelta = HOLD_TTL,
) -> Hold:
    """Sets aside what the call costs at most on every balance it counts in. Raises `BudgetExceeded` when one
    has no room, `PriceUnknown` when there is no price, `Conflict` when the request has a hold already; the
    caller's transaction must then roll back.
    """
    attribution = attribution or current_attribution()
    account = account_read()
    prices = prices_now(model=model, kind=kind, currency=account.currency)
    scopes = attribution.scopes(is_prepaid=account.is_prepaid)
    hold = Hold(
        id=uuid4(),
        tenant_id=account.tenant_id,
        request_id=request_id,
        source=source,
        kind=kind,
        model=model,
        scopes=scopes,
        attribution=attribution.as_json(),
        currency=account.currency,
        amount=bound_cost(prices, bounds),
        prices=prices.as_json(),
        book_version=prices.book_version,
        started_at=prices.at,
    )
    _store(hold, balance_values(account, scopes, prices.at), ttl)
    return hold


def _store(hold: Hold, values: dict[str, Any], ttl: timedelta) -> None:
    values |= {
        "id": hold.id,
        "request_id": hold.request_id,
        "source": hold.source,
        "kind": hold.kind,
        "model": hold.model,
        "attribution": json.dumps(hold.attribution),
        "amount": hold.amount,
        "prices": json.dumps(hold.prices),
        "book": hold.book_version,
        "ttl": ttl,
    }
    wanted, raised, full, expires_at = last_row(_OPEN, values)
    if raised is None or len(raised) != len(wanted):
        raise BudgetExceeded("The budget for this is used up.", scope=full)
    if expires_at is None:
        raise Conflict("This request has a hold already.", code="hold_exists")
    hold.balance_ids, hold.expires_at = raised, expires_at


def output_affordable(
    *,
    model: str,
    in_tokens: int,
    wanted: int,
    n: int = 1,
    attribution: Attribution | None = None,
) -> int:
    """How many of the `wanted` output tokens, for each of `n` answers, the budgets still buy after the prompt
    is paid: the call itself must be asked for no more. Raises `BudgetExceeded` when not even one.
    """
    attribution = attribution or current_attribution()
    gate = gate_pass()
    prices = prices_now(model=model, kind="chat", currency=gate.currency)
    values = balance_values(gate, attribution.scopes(is_prepaid=gate.is_prepaid), prices.at)
    balances_ensure(values)
    left = room_left(values)
    if left is None or bound_cost(prices, Bounds(in_tokens, wanted, n)) <= left:
        return wanted
    price = max(prices.buckets["out"].per_million, prices.buckets["reasoning"].per_million)
    left -= bound_cost(prices, Bounds(in_tokens)) + _ROUNDING
    tokens = int((left * 1_000_000 / price / n).to_integral_value(ROUND_FLOOR)) if price else wanted
    if left <= 0 or tokens < 1:
        raise BudgetExceeded("The budget for this is used up.")
    return min(tokens, wanted)


_RELEASE = """
UPDATE metering_balance SET held = held - %s WHERE tenant_id = %s AND id = ANY(%s)
"""


def hold_close(hold: Hold, state: Hold.State) -> bool:
    """Ends an open hold and gives back what it held; False when it had ended before. Behind the gate."""
    closed = Hold.objects.filter(id=hold.id, state=Hold.State.OPEN).update(
        state=state, closed_at=Now()
    )
    if not closed:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, [hold.amount, hold.tenant_id, hold.balance_ids])
    return True


def void(*, request_id: str) -> bool:
    """Ends the hold of a call that was never made, or that used nothing; False when it had ended before."""
    gate_pass()
    hold = Hold.objects.filter(request_id=request_id).first()
    return hold is not None and hold_close(hold, Hold.State.VOIDED)


def hold_extend(*, request_id: str, by: timedelta) -> bool:
    """Gives an open hold more time, counted from now."""
    return bool(
        Hold.objects.filter(request_id=request_id, state=Hold.State.OPEN).update(
            expires_at=Now() + by
        )
    )
