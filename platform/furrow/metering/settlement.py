"""Settlement: what a call used becomes an event, ledger lines and posted money, once. Inside `tenant_tx`.

Every step runs behind the tenant's gate, so deliveries of one settlement in any order and number end alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Now

from furrow.core.context import current_tenant_id
from furrow.core.errors import NotFound
from furrow.core.logs import get_logger
from furrow.metering import posting
from furrow.metering.balances import Gate, balance_values, balances_ensure, gate_pass, room_left
from furrow.metering.counts import Counts
from furrow.metering.models import Hold, UsageEvent
from furrow.metering.models.usage import BUCKETS
from furrow.metering.money import ZERO, exact, tokens_cost
from furrow.metering.trips import one_row

Basis = UsageEvent.Basis
Status = UsageEvent.Status
COSTS = tuple(f"cost_{bucket}" for bucket in BUCKETS)

log = get_logger(__name__)


@dataclass(frozen=True)
class Timing:
    """When the engine worked, by its own clock, and for how long; prices never depend on it."""

    finished_at: datetime | None = None
    busy_us: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a delivery. `outcome`: settled, absorbed (kept at our cost), or known (from before)."""

    outcome: str
    event_id: UUID
    cost: Decimal
    charged: Decimal


_SETTLE = """
SELECT outcome, event_id, cost, charged, notices
  FROM metering_settle(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def settle(
    *,
    request_id: str,
    counts: Counts,
    basis: str = Basis.REPORTED,
    status: str = Status.COMPLETE,
    attempt: int = 1,
    timing: Timing | None = None,
    is_last: bool = False,
) -> Settled:
    """Settles the hold of a request. The first delivered attempt pays; the same attempt again changes nothing.
    A failed attempt, another one, or one that comes after the hold was voided, is kept as absorbed by us and
    ends no hold, unless a failed one `is_last`: then nothing is left to wait for. More than was held is absorbed
    too: a cap holds whatever an engine reports.
    """
    timing = timing or Timing()
    outcome, event_id, cost, charged, notices = one_row(
        _SETTLE,
        (
            current_tenant_id(), request_id, attempt, *counts.buckets, basis, status,
            timing.finished_at, timing.busy_us, is_last, settings.TIME_ZONE,
        ),
    )  # fmt: skip
    if outcome == "unknown":
        raise NotFound("This request has no hold.")
    if outcome == "settled" and cost > charged:
        log.error("usage_above_hold", request=request_id, absorbed=str(cost - charged))
    if notices:
        posting.thresholds_tell(notices)
    return Settled(outcome, event_id, cost, charged)


def correct(
    *,
    request_id: str,
    counts: Counts,
    attempt: int = 1,
    prices: Mapping[str, list[str]] | None = None,
    timing: Timing | None = None,
) -> UsageEvent | None:
    """Posts the signed difference between what stands and what is true; None when there is none. `prices`
    replaces those of the event, after a price was mistyped. An increase is charged only where it fits.
    """
    gate = gate_pass()
    hold = _hold(request_id)
    first = _first_event(hold, attempt)
    if first is None:
        raise NotFound("This request has no event to correct.")
    history = UsageEvent.objects.filter(
        source=hold.source, source_id=hold.request_id, attempt=attempt
    )
    net = history.aggregate(**{n: Sum(n) for n in (*BUCKETS, *COSTS, "cost", "charged")})
    standing = dict(prices or first.prices)
    costs = bucket_costs(counts, standing)
    tokens_delta = {bucket: getattr(counts, bucket) - net[bucket] for bucket in BUCKETS}
    costs_delta = {name: exact(costs[name] - net[name]) for name in COSTS}
    if not any(tokens_delta.values()) and not any(costs_delta.values()):
        return None
    event = _event_of(hold, attempt, timing)
    event.basis, event.status, event.corrects = Basis.CORRECTED, first.status, first
    event.revision = history.filter(basis=Basis.CORRECTED).count()
    event.prices, event.price_ids = standing, _ids(standing)
    truth = exact(sum(costs.values(), ZERO))
    charged = _charge_of(gate, first, net["charged"], truth)
    _fill(event, tokens_delta, costs_delta, charged)
    _store(gate, event)
    return event


def _charge_of(gate: Gate, first: UsageEvent, charged: Decimal, truth: Decimal) -> Decimal:
    """What a correction adds to the tenant's bill: all of a decrease, of an increase what budgets allow."""
    more = exact(truth - charged)
    if more <= 0:
        return more
    if first.status == Status.FAILED and charged == 0:
        return ZERO
    values = balance_values(gate, first.scopes, first.started_at)
    balances_ensure(values)
    left = room_left(values)
    return more if left is None else min(more, left)


def bucket_costs(counts: Counts, prices: Mapping[str, list[str]]) -> dict[str, Decimal]:
    """`cost_<bucket>` of each bucket, at the prices a hold keeps."""
    return {
        f"cost_{bucket}": tokens_cost(getattr(counts, bucket), Decimal(prices[bucket][1]))
        for bucket in BUCKETS
    }


def free_event(
    *, source_id: str, model: str, kind: str = "chat", rung: str = "", currency: str
) -> UsageEvent:
    """An answer from our own cache: an event of no tokens, so that it is counted and not missed."""
    gate = gate_pass()
    known = UsageEvent.objects.filter(source="cache", source_id=source_id).first()
    if known is not None:
        return known  # type: ignore[no-any-return]
    event = UsageEvent(
        id=uuid4(),
        tenant_id=current_tenant_id(),
        source="cache",
        source_id=source_id,
        kind=kind,
        model=model,
        rung=rung,
        currency=currency,
        basis=Basis.REPORTED,
        status=Status.COMPLETE,
        prices={},
        price_ids=[],
        book_version=0,
        scopes=["tenant"],
        started_at=Now(),
        finished_at=Now(),
    )
    _fill(event, dict.fromkeys(BUCKETS, 0), dict.fromkeys(COSTS, ZERO), ZERO)
    _store(gate, event)
    return event


def _hold(request_id: str) -> Hold:
    hold = Hold.objects.filter(request_id=request_id).first()
    if hold is None:
        raise NotFound("This request has no hold.")
    return hold  # type: ignore[no-any-return]


def _first_event(hold: Hold, attempt: int) -> UsageEvent | None:
    found: UsageEvent | None = (
        UsageEvent.objects.filter(source=hold.source, source_id=hold.request_id, attempt=attempt)
        .exclude(basis=Basis.CORRECTED)
        .first()
    )
    return found


def _event_of(hold: Hold, attempt: int, timing: Timing | None) -> UsageEvent:
    timing = timing or Timing()
    return UsageEvent(
        id=uuid4(),
        tenant_id=hold.tenant_id,
        hold=hold,
        source=hold.source,
        source_id=hold.request_id,
        attempt=attempt,
        kind=hold.kind,
        model=hold.model,
        currency=hold.currency,
        prices=hold.prices,
        price_ids=_ids(hold.prices),
        book_version=hold.book_version,
        scopes=hold.scopes,
        started_at=hold.started_at,
        finished_at=timing.finished_at or Now(),
        busy_us=timing.busy_us,
        **hold.attribution,
    )


def _ids(prices: Mapping[str, list[str]]) -> list[UUID]:
    return sorted({UUID(price_id) for price_id, _ in prices.values()})


def _fill(
    event: UsageEvent,
    tokens: Mapping[str, int],
    costs: Mapping[str, Decimal],
    charged: Decimal,
) -> None:
    for bucket in BUCKETS:
        setattr(event, bucket, tokens[bucket])
    for name in COSTS:
        setattr(event, name, costs[name])
    event.cost = exact(sum(costs.values(), ZERO))
    event.charged = exact(charged)
    event.absorbed = exact(event.cost - charged)


def _store(gate: Gate, event: UsageEvent) -> None:
    event.save(force_insert=True)
    posting.event_post(gate, event)
