"""Receipts of the model server: fetched, kept, and settled from. Each step may be repeated."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import httpx
from django.conf import settings
from django.db.models.functions import Now

from furrow.core.context import tenant_tx, unscoped
from furrow.core.egress import internal_client
from furrow.core.errors import UpstreamFailed
from furrow.core.logs import get_logger
from furrow.metering.counts import Counts
from furrow.metering.models import Hold, Receipt, ReceiptSource, UsageEvent
from furrow.metering.settlement import Status, Timing, correct, settle

OWN = "own"
PAGE = 500
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
    request_ids: set[str] = field(default_factory=set)


def wire_id(request_id: str, attempt: int) -> str:
    """What a server is told as X-Request-Id, so that its receipt names the attempt too."""
    return f"{request_id}.{attempt}"


def wire_parts(text: str) -> tuple[str, int]:
    """The request and attempt of a receipt; one that we did not send names no attempt."""
    request_id, dot, attempt = text.rpartition(".")
    if not dot or not attempt.isdecimal() or len(attempt) > 4:
        return text, 1
    return request_id, int(attempt)


def receipts_client() -> httpx.Client:
    """For the server that makes the embeddings; its receipts lie beside its API."""
    parts = urlsplit(settings.EMBEDDINGS_URL)
    root = urlunsplit((parts.scheme, parts.netloc, parts.path.removesuffix("/v1"), "", ""))
    return internal_client(root or "/", timeout_s=10.0, api_key=settings.EMBEDDINGS_API_KEY)


def receipts_pull(client: httpx.Client, *, source: str = OWN) -> Pulled:
    """Fetches what is new and settles from it. Raises `UpstreamFailed` when the server does not answer."""
    pulled = Pulled()
    with unscoped("keep the receipts of the model server"):
        state, _ = ReceiptSource.objects.get_or_create(name=source)
    cursor = state.cursor
    for _ in range(_MOST_PAGES):
        page = _page(client, cursor)
        if page["last_seq"] < cursor:
            # The server lost its file and counts from 1 again.
            log.error("receipts_restarted", source=source, was=cursor, now=page["last_seq"])
            pulled.missing += 1
            cursor = 0
            continue
        receipts = page["receipts"]
        _store(source, receipts, pulled)
        _settle_all(source, receipts, pulled)
        pulled.missing += _gaps(cursor, receipts)
        cursor = max([cursor, *(receipt["seq"] for receipt in receipts)])
        _advance(source, page, cursor, pulled)
        if not page["has_more"]:
            break
    if pulled.missing:
        log.error("receipts_missing", source=source, missing=pulled.missing)
    return pulled


def _page(client: httpx.Client, cursor: int) -> dict[str, Any]:
    try:
        response = client.get("/receipts", params={"after": cursor, "limit": PAGE})
        response.raise_for_status()
        page = response.json()
        page["receipts"] = [_checked(receipt) for receipt in page["receipts"]]
        page["last_seq"], page["has_more"] = int(page["last_seq"]), bool(page["has_more"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        raise UpstreamFailed(
            "The model server's receipts cannot be read.", code="receipts_unavailable"
        ) from None
    return page  # type: ignore[no-any-return]


def _checked(receipt: Mapping[str, Any]) -> dict[str, Any]:
    Counts.of_receipt(receipt)
    return {
        **receipt,
        "seq": int(receipt["seq"]),
        "started_at": datetime.fromisoformat(receipt["started_at"]),
        "finished_at": datetime.fromisoformat(receipt["finished_at"]),
    }


def _store(source: str, receipts: list[dict[str, Any]], pulled: Pulled) -> None:
    names = (
        "boot_id", "seq", "request_id", "kind", "in_hit", "in_miss", "out", "reasoning", "busy_us",
        "finish_reason", "started_at", "finished_at",
    )  # fmt: skip
    rows = [Receipt(source=source, **{name: item[name] for name in names}) for item in receipts]
    with unscoped("keep the receipts of the model server"):
        before = Receipt.objects.filter(source=source).count()
        Receipt.objects.bulk_create(rows, ignore_conflicts=True)
        pulled.stored += Receipt.objects.filter(source=source).count() - before


def _gaps(cursor: int, receipts: Iterable[Mapping[str, Any]]) -> int:
    """Numbers left out between what was known and what came."""
    missing, last = 0, cursor
    for receipt in receipts:
        missing += max(receipt["seq"] - last - 1, 0)
        last = receipt["seq"]
    return missing


def _advance(source: str, page: Mapping[str, Any], cursor: int, pulled: Pulled) -> None:
    with unscoped("keep the receipts of the model server"):
        state = ReceiptSource.objects.select_for_update().get(name=source)
        state.cursor, state.last_seq = cursor, page["last_seq"]
        state.boot_id, state.pulled_at = str(page["boot_id"]), Now()
        state.missing += pulled.missing
        state.save(update_fields=["cursor", "last_seq", "boot_id", "pulled_at", "missing"])


def _settle_all(source: str, receipts: list[dict[str, Any]], pulled: Pulled) -> None:
    wanted = {wire_parts(receipt["request_id"])[0] for receipt in receipts}
    with unscoped("find whose call a receipt is for"):
        owners: dict[str, UUID] = dict(
            Hold.objects.filter(request_id__in=wanted, source=source).values_list(
                "request_id", "tenant_id"
            )
        )
    for receipt in receipts:
        tenant_id = owners.get(wire_parts(receipt["request_id"])[0])
        if tenant_id is None:
            pulled.foreign += 1
            continue
        with tenant_tx(tenant_id):
            _settle_one(receipt, pulled)


def _settle_one(receipt: Mapping[str, Any], pulled: Pulled) -> None:
    request_id, attempt = wire_parts(receipt["request_id"])
    counts = Counts.of_receipt(receipt)
    timing = Timing(finished_at=receipt["finished_at"], busy_us=receipt["busy_us"])
    is_known = UsageEvent.objects.filter(source_id=request_id, attempt=attempt).exists()
    if is_known:
        changed = correct(request_id=request_id, counts=counts, attempt=attempt, timing=timing)
        pulled.corrected += changed is not None
        return
    settle(
        request_id=request_id,
        counts=counts,
        status=status_of(receipt["finish_reason"]),
        attempt=attempt,
        timing=timing,
    )
    pulled.settled += 1


def settle_from_receipt(request_id: str) -> bool:
    """Settles a hold from receipts already kept; whether there were any. The tenant's context is set."""
    with unscoped("look for the receipt of an expired hold"):
        found = list(
            Receipt.objects.filter(request_id__startswith=f"{request_id}.").order_by("seq").values()
        )
    pulled = Pulled()
    for receipt in found:
        if wire_parts(receipt["request_id"])[0] == request_id:
            _settle_one(receipt, pulled)
    return bool(pulled.settled or pulled.corrected)


def status_of(finish_reason: str) -> str:
    if finish_reason in _ABORTED:
        return Status.ABORTED
    return Status.FAILED if finish_reason in _FAILED else Status.COMPLETE
