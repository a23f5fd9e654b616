"""Settlement: what a call used becomes an event, ledger lines and posted money, once. Inside `tenant_tx`.

Every step runs behind the tenant's gate, so deliveries of one settlement in any order and number end alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from django.db.models import Sum
from django.db.models.functions import Now

from furrow.core.context import current_tenant_id
from furrow.core.errors import NotFound
from furrow.core.logs import get_logger
from furrow.metering import posting
from furrow.metering.balances import Gate, balance_values, balances_ensure, gate_pass, room_left
from furrow.metering.counts import Counts
from furrow.metering.holds import hold_close
from furrow.metering.models import Hold, UsageEvent
from furrow.metering.models.usage import BUCKETS
from furrow.metering.money import ZERO, exact, tokens_cost

Basis = UsageEvent.Basis
Status = UsageEvent.Status
COSTS = tuple(f"cost_{bucket}" for bucket in BUCKETS)

log = get_logger(__name__)


@dataclass(frozen=True)
class Timing:
    """When the engine worked, by its own clock, and for how long; prices never depend on it."""

    finished_at: datetime | None = None
    busy_us: int = 0


def settle(
    *,
    request_id: str,
    counts: Counts,
    basis: str = Basis.REPORTED,
    status: str = Status.COMPLETE,
    attempt: int = 1,
    timing: Timing | None = None,
) -> UsageEvent:
    """Settles the hold of a request. The first delivered attempt pays; the same attempt again changes nothing.
    A failed attempt, another one, or one that comes after the hold was voided, is kept as absorbed by us and
    ends no hold. More than was held is absorbed too: a cap holds whatever an engine reports.
    """
    if status != Status.FAILED:
        event = _settle_open(request_id, counts, basis, status, attempt, timing)
        if event is not None:
            return event
    gate = gate_pass()
    hold = _hold(request_id)
    known = _first_event(hold, attempt)
    if known is not None:
        return known
    is_paid = status != Status.FAILED and hold_close(hold, Hold.State.SETTLED)
    costs = bucket_costs(counts, hold.prices)
    cost = exact(sum(costs.values(), ZERO))
    charged = min(cost, hold.amount) if is_paid else ZERO
    event = _event_of(hold, attempt, timing)
    event.basis, event.status = basis, status if is_paid else Status.FAILED
    _fill(event, counts.as_dict(), costs, charged)
    if is_paid and cost > hold.amount:
        log.error("usage_above_hold", request=request_id, absorbed=str(event.absorbed))
    _store(gate, event)
    return event


def _settle_open(
    request_id: str,
    counts: Counts,
    basis: str,
    status: str,
    attempt: int,
    timing: Timing | None,
) -> UsageEvent | None:
    """The common case: the hold is open and the attempt new. None, and nothing done, when it is not so."""
    hold = (
        Hold.objects.filter(request_id=request_id, state=Hold.State.OPEN)
        .annotate(now=Now())
        .first()
    )
    if hold is None:
        return None
    costs = bucket_costs(counts, hold.prices)
    cost = exact(sum(costs.values(), ZERO))
    event = _event_of(hold, attempt, timing or Timing(finished_at=hold.now))
    if timing is not None and timing.finished_at is None:
        event.finished_at = hold.now
    event.basis, event.status = basis, status
    _fill(event, counts.as_dict(), costs, min(cost, hold.amount))
    if not posting.settle_at_once(event):
        return None
    if event.absorbed:
        log.error("usage_above_hold", request=request_id, absorbed=str(event.absorbed))
    event._state.adding = False
    return event


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
