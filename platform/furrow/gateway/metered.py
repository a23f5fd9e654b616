"""A model call with its hold: set aside and committed before, settled after, whatever happens in between.

`call_open` and `call_close` are one short synchronous call each and keep nothing open between them, so an async
view runs each in a thread; `metered` is both around a block.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import Error, connection

from furrow.core.context import current_tenant_id, tenant_context
from furrow.core.logs import get_logger
from furrow.gateway.postponed import postpone
from furrow.metering.attribution import Attribution
from furrow.metering.counts import Counts
from furrow.metering.holds import Bounds, hold_open, void
from furrow.metering.prices import CallKind
from furrow.metering.receipt_pages import OWN
from furrow.metering.receipts import wire_id
from furrow.metering.settlement import Basis, Status, settle

# No batch of texts is waited for longer.
ENCODER_LONGEST_S = 60

log = get_logger(__name__)


class OpenTransaction(RuntimeError):
    """A model was to be called while a transaction was open: its hold would not be committed."""


@dataclass
class MeteredCall:
    """One call. The caller says what came of each attempt; what it does not say, the receipts will."""

    tenant_id: UUID
    source: str = OWN
    request_id: str = field(default_factory=lambda: uuid4().hex)
    # What was set aside for each answer; less than was wanted when the budget buys no more.
    out_tokens: int = 0
    attempt: int = 0
    used: Counts | None = None
    basis: str = Basis.REPORTED
    status: str = Status.COMPLETE
    # Whether a server may have worked, or be working, on an attempt whose answer never came.
    is_doubtful: bool = False
    is_in_flight: bool = False

    def next_attempt(self) -> str:
        """The id to send with the next request, which is in flight from now on."""
        self.attempt += 1
        self.is_in_flight = True
        return wire_id(self.request_id, self.attempt)

    def failed(self, *, is_doubtful: bool) -> None:
        """The attempt brought no answer."""
        self.is_in_flight = False
        self.is_doubtful = self.is_doubtful or is_doubtful

    def delivered(
        self, counts: Counts, *, basis: str = Basis.REPORTED, status: str = Status.COMPLETE
    ) -> None:
        """What an attempt used. Aborted, it is paid as far as it came; failed, it is ours."""
        self.used, self.basis, self.status = counts, basis, status

    @property
    def is_left_to_receipts(self) -> bool:
        """Its fate is unknown, and the server will tell. Any other server never will."""
        return self.used is None and (self.is_doubtful or self.is_in_flight)


def hold_ttl(kind: CallKind) -> timedelta:
    """Longer than any call may take, so that no sweep ends a hold under a running one."""
    longest_s = settings.CHAT_TOTAL_TIMEOUT_S if kind == "chat" else ENCODER_LONGEST_S
    return timedelta(seconds=longest_s + settings.HOLD_GRACE_S)


def call_open(
    *,
    model: str,
    kind: CallKind,
    bounds: Bounds,
    source: str = OWN,
    request_id: str | None = None,
    tenant_id: UUID | None = None,
    attribution: Attribution | None = None,
) -> MeteredCall:
    """A committed hold for one call, of the current tenant unless another is named. Raises `BudgetExceeded`,
    `PriceUnknown` or `ModelWithheld`.
    """
    _check_no_transaction()
    call = MeteredCall(tenant_id or current_tenant_id(), source)
    call.request_id = request_id or call.request_id
    with tenant_context(call.tenant_id):
        call.out_tokens = hold_open(
            request_id=call.request_id,
            model=model,
            bounds=bounds,
            kind=kind,
            source=source,
            attribution=attribution,
            ttl=hold_ttl(kind),
        ).out_tokens
    return call


def call_close(call: MeteredCall) -> None:
    """Settles or voids what `call_open` held, once; a call whose fate is unknown keeps its hold for receipts or
    the sweep. Never fails for the database's sake: then it is tried again behind the caller's back.
    """
    if call.is_left_to_receipts:
        return
    if _is_in_transaction():
        # Somebody let go of a stream inside a transaction that may yet be rolled back.
        postpone(lambda: _end(call), request_id=call.request_id)
        return
    try:
        _end(call)
    except Error:
        log.exception("settlement_postponed", request=call.request_id)
        postpone(lambda: _end(call), request_id=call.request_id)


@contextmanager
def metered(
    *, model: str, kind: CallKind, bounds: Bounds, source: str = OWN
) -> Iterator[MeteredCall]:
    """Holds before the block, settles or voids after it."""
    call = call_open(model=model, kind=kind, bounds=bounds, source=source)
    try:
        yield call
    finally:
        call_close(call)


def _end(call: MeteredCall) -> None:
    with tenant_context(call.tenant_id):
        if call.used is None:
            void(request_id=call.request_id)
        else:
            settle(
                request_id=call.request_id,
                counts=call.used,
                basis=call.basis,
                status=call.status,
                attempt=max(call.attempt, 1),
                is_last=True,
            )


def _is_in_transaction() -> bool:
    """Tests wrap everything in a transaction of their own, which Django marks."""
    blocks = connection.atomic_blocks
    return not all(getattr(block, "_from_testcase", False) for block in blocks)


def _check_no_transaction() -> None:
    if _is_in_transaction():
        raise OpenTransaction("A model is called inside a transaction; commit first.")
