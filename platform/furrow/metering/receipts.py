"""Receipts of the model server: fetched, kept, and settled from. Each step may be repeated."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import httpx
from django.db.models import Q
from django.db.models.functions import Now

from furrow.core.context import tenant_tx, unscoped
from furrow.core.logs import get_logger
from furrow.metering.counts import Counts
from furrow.metering.models import Hold, Receipt, ReceiptSource, UsageEvent
from furrow.metering.receipt_pages import OWN, ReceiptPage, ReceiptRow, page_fetch
from furrow.metering.settlement import Status, Timing, correct, settle

_MOST_PAGES = 200
# How the server says that a request did not come to its end.
_ABORTED = frozenset({"cancelled", "canceled", "abort", "aborted", "disconnect"})
_FAILED = frozenset({"error", "failed"})

log = get_logger(__name__)


@dataclass
class Pulled:
    """What a fetch brought."""

    stored: int = 0
    settled: int = 0
    corrected: int = 0
    foreign: int = 0
    missing: int = 0


def wire_id(request_id: str, attempt: int) -> str:
    """What a server is told as X-Request-Id, so that its receipt names the attempt too."""
    return f"{request_id}.{attempt}"


def wire_parts(text: str) -> tuple[str, int]:
    """The request and attempt of a receipt; one that we did not send names no attempt."""
    request_id, dot, attempt = text.rpartition(".")
    if not dot or not attempt.isdecimal() or len(attempt) > 4:
        return text, 1
    return request_id, int(attempt)


def receipts_pull(client: httpx.Client, *, source: str = OWN) -> Pulled:
    """Fetches what is new and settles from it. Raises `UpstreamFailed` when the server does not answer."""
    pulled = Pulled()
    with unscoped("keep the receipts of the model server"):
        state, _ = ReceiptSource.objects.get_or_create(name=source)
    cursor, missing = state.cursor, 0
    for _ in range(_MOST_PAGES):
        page = page_fetch(client, after=cursor)
        if page.last_seq < cursor:
            # The server lost its file and counts from 1 again.
            log.error("receipts_restarted", source=source, was=cursor, now=page.last_seq)
            cursor, missing = 0, missing + 1
            continue
        _store(source, page.receipts, pulled)
        _settle_all(source, page.receipts, pulled)
        missing += _gaps(cursor, page.receipts)
        cursor = max([cursor, *(receipt.seq for receipt in page.receipts)])
        _advance(source, page, cursor, missing)
        pulled.missing += missing
        missing = 0
        if not page.has_more:
            break
    if pulled.missing:
        log.error("receipts_missing", source=source, missing=pulled.missing)
    return pulled


def _store(source: str, receipts: Iterable[ReceiptRow], pulled: Pulled) -> None:
    rows = [
        Receipt(
            source=source,
            boot_id=receipt.boot_id,
            seq=receipt.seq,
            request_id=receipt.request_id,
            kind=receipt.kind,
            **receipt.counts.as_dict(),
            busy_us=receipt.busy_us,
            finish_reason=receipt.finish_reason,
            started_at=receipt.started_at,
            finished_at=receipt.finished_at,
        )
        for receipt in receipts
    ]
    if not rows:
        return
    with unscoped("keep the receipts of the model server"):
        same = Receipt.objects.filter(
            source=source,
            boot_id__in={row.boot_id for row in rows},
            seq__range=(rows[0].seq, rows[-1].seq),
        )
        before = same.count()
        Receipt.objects.bulk_create(rows, ignore_conflicts=True)
        pulled.stored += same.count() - before


def _gaps(cursor: int, receipts: Iterable[ReceiptRow]) -> int:
    """Numbers left out between what was known and what came."""
    missing, last = 0, cursor
    for receipt in receipts:
        missing += max(receipt.seq - last - 1, 0)
        last = receipt.seq
    return missing


def _advance(source: str, page: ReceiptPage, cursor: int, missing: int) -> None:
    with unscoped("keep the receipts of the model server"):
        state = ReceiptSource.objects.select_for_update().get(name=source)
        state.cursor, state.last_seq = cursor, page.last_seq
        state.boot_id, state.pulled_at = page.boot_id, Now()
        state.missing += missing
        state.save(update_fields=["cursor", "last_seq", "boot_id", "pulled_at", "missing"])


def _settle_all(source: str, receipts: Iterable[ReceiptRow], pulled: Pulled) -> None:
    owners = _owners(source, {wire_parts(receipt.request_id)[0] for receipt in receipts})
    for receipt in receipts:
        tenant_id = owners.get(wire_parts(receipt.request_id)[0])
        if tenant_id is None:
            pulled.foreign += 1
            continue
        with tenant_tx(tenant_id):
            _settle_one(receipt, receipt.counts, pulled)


def _owners(source: str, request_ids: set[str]) -> dict[str, UUID]:
    """Whose call each request is. Our ids are random: one that two tenants have is nobody's."""
    owners: dict[str, UUID] = {}
    shared: set[str] = set()
    with unscoped("find whose call a receipt is for"):
        for request_id, tenant_id in Hold.objects.filter(
            request_id__in=request_ids, source=source
        ).values_list("request_id", "tenant_id"):
            if owners.setdefault(request_id, tenant_id) != tenant_id:
                shared.add(request_id)
    for request_id in shared:
        log.error("receipt_ambiguous", request=request_id)
        del owners[request_id]
    return owners


def _settle_one(receipt: ReceiptRow | Receipt, counts: Counts, pulled: Pulled) -> None:
    request_id, attempt = wire_parts(receipt.request_id)
    timing = Timing(finished_at=receipt.finished_at, busy_us=receipt.busy_us)
    is_known = UsageEvent.objects.filter(source_id=request_id, attempt=attempt).exists()
    if is_known:
        changed = correct(request_id=request_id, counts=counts, attempt=attempt, timing=timing)
        pulled.corrected += changed is not None
        return
    settle(
        request_id=request_id,
        counts=counts,
        status=status_of(receipt.finish_reason),
        attempt=attempt,
        timing=timing,
    )
    pulled.settled += 1


def settle_from_receipt(request_id: str) -> bool:
    """Settles a hold from receipts already kept; whether there were any. The tenant's context is set."""
    with unscoped("look for the receipt of an expired hold"):
        found = list(
            Receipt.objects.filter(
                Q(request_id=request_id) | Q(request_id__startswith=f"{request_id}.")
            ).order_by("seq")
        )
    pulled = Pulled()
    for kept in found:
        if wire_parts(kept.request_id)[0] == request_id:
            counts = Counts(kept.in_hit, kept.in_miss, kept.out, kept.reasoning)
            _settle_one(kept, counts, pulled)
    return bool(pulled.settled or pulled.corrected)


def status_of(finish_reason: str) -> str:
    if finish_reason in _ABORTED:
        return Status.ABORTED
    return Status.FAILED if finish_reason in _FAILED else Status.COMPLETE
