"""Ends the holds that nobody ended: a worker died, a stream was cut, an engine fell silent."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from furrow.core.context import tenant_tx, unscoped
from furrow.core.logs import get_logger
from furrow.metering.holds import hold_extend, void
from furrow.metering.models import Hold, ReceiptSource
from furrow.metering.receipts import settle_from_receipt

EXTEND_BY = timedelta(seconds=15)
# A server that has not been heard of for this long after a hold's start will not be waited for.
GIVE_UP_AFTER = timedelta(minutes=30)

log = get_logger(__name__)


@dataclass
class Swept:
    settled: int = 0
    voided: int = 0
    extended: int = 0


@dataclass(frozen=True)
class _Expired:
    tenant_id: UUID
    request_id: str
    source: str
    started_at: datetime
    expires_at: datetime


def sweep_expired(limit: int = 500) -> Swept:
    """Settles each expired hold whose receipt there is; voids it when the server's receipts were read after
    it expired and hold none; else waits a little longer for the server.
    """
    with unscoped("find the expired holds of all tenants"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, request_id, source, started_at, expires_at FROM metering_hold"
            " WHERE state = 'open' AND expires_at < statement_timestamp() ORDER BY expires_at LIMIT %s",
            [limit],
        )
        expired = [_Expired(*row) for row in cursor.fetchall()]
        pulled = dict(ReceiptSource.objects.values_list("name", "pulled_at"))
        cursor.execute("SELECT statement_timestamp()")
        now = cursor.fetchone()[0]
    swept = Swept()
    for hold in expired:
        _end(hold, pulled, now, swept)
    if swept.voided or swept.settled:
        log.info("holds_swept", settled=swept.settled, voided=swept.voided)
    return swept


def _end(hold: _Expired, pulled: dict[str, datetime | None], now: datetime, swept: Swept) -> None:
    with tenant_tx(hold.tenant_id):
        settle_from_receipt(hold.request_id)
        if Hold.objects.filter(request_id=hold.request_id, state=Hold.State.SETTLED).exists():
            swept.settled += 1
            return
        read_at = pulled.get(hold.source)
        is_heard = hold.source not in pulled or (read_at is not None and read_at > hold.expires_at)
        if not is_heard and now - hold.started_at < GIVE_UP_AFTER:
            swept.extended += hold_extend(request_id=hold.request_id, by=EXTEND_BY)
        else:
            swept.voided += void(request_id=hold.request_id)
