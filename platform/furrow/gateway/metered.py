"""A model call with its hold: set aside and committed before, settled after, whatever happens in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.db import DatabaseError, connection

from furrow.core.context import current_tenant_id, tenant_tx
from furrow.core.logs import get_logger
from furrow.metering.counts import Counts
from furrow.metering.holds import Bounds, hold_open, void
from furrow.metering.prices import CallKind
from furrow.metering.receipts import OWN, wire_id
from furrow.metering.settlement import Basis, settle

log = get_logger(__name__)


class OpenTransaction(RuntimeError):
    """A model was to be called while a transaction was open: its hold would not be committed."""


@dataclass
class MeteredCall:
    """One call. The caller says what came of each attempt; what it does not say, the receipts will."""

    tenant_id: UUID
    request_id: str = field(default_factory=lambda: uuid4().hex)
    attempt: int = 0
    used: Counts | None = None
    basis: str = Basis.REPORTED
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

    def delivered(self, counts: Counts | None, *, estimate: Counts) -> None:
        """The answer came; `counts` is None when the server did not count, and then the estimate is paid."""
        self.used = estimate if counts is None else counts
        self.basis = Basis.ESTIMATED if counts is None else Basis.REPORTED


@contextmanager
def metered(*, model: str, kind: CallKind, bounds: Bounds) -> Iterator[MeteredCall]:
    """Holds before the block, settles or voids after it. Raises `BudgetExceeded` or `PriceUnknown` instead of
    entering it. A call whose fate is unknown keeps its hold: receipts or the sweep end it.
    """
    call = MeteredCall(current_tenant_id())
    _check_no_transaction()
    with tenant_tx(call.tenant_id):
        hold_open(request_id=call.request_id, model=model, bounds=bounds, kind=kind, source=OWN)
    try:
        yield call
    finally:
        _end(call)


def _end(call: MeteredCall) -> None:
    if call.used is None and (call.is_doubtful or call.is_in_flight):
        return
    try:
        with tenant_tx(call.tenant_id):
            if call.used is None:
                void(request_id=call.request_id)
            else:
                settle(
                    request_id=call.request_id,
                    counts=call.used,
                    basis=call.basis,
                    attempt=call.attempt,
                )
    except DatabaseError:
        # The answer is good and the hold is committed: its receipt will settle it.
        log.exception("settlement_postponed", request=call.request_id)


def _check_no_transaction() -> None:
    """Tests wrap everything in a transaction of their own, which Django marks."""
    blocks = connection.atomic_blocks
    if not all(getattr(block, "_from_testcase", False) for block in blocks):
        raise OpenTransaction("A model is called inside a transaction; commit first.")
