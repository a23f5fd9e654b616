"""What our own model servers wrote down, read strictly: typed, in order, a page as a whole or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from furrow.core.egress import internal_client
from furrow.core.errors import UpstreamFailed
from furrow.metering.counts import Counts, UsageInvalid

OWN = "own"
# A chat model of ours that runs apart from the embeddings counts by itself.
OWN_CHAT = "own-chat"
PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRow:
    """One request that was given work, complete or not."""

    boot_id: str
    seq: int
    request_id: str
    kind: str
    counts: Counts
    busy_us: int
    finish_reason: str
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    boot_id: str
    last_seq: int
    receipts: tuple[ReceiptRow, ...]
    has_more: bool


def receipt_sources() -> tuple[str, ...]:
    """The servers that write receipts, as the settings name them."""
    return tuple(dict.fromkeys((OWN, chat_source()))) if _is_own_chat() else (OWN,)


def chat_source() -> str:
    """Whose counts a chat call is settled from: one of ours, or the kind of server that is asked."""
    if not _is_own_chat():
        return str(settings.CHAT_DIALECT)
    is_one = urlsplit(settings.CHAT_URL).netloc == urlsplit(settings.EMBEDDINGS_URL).netloc
    return OWN if is_one else OWN_CHAT


def has_receipts(source: str) -> bool:
    return source in {OWN, OWN_CHAT}


def receipts_client(source: str = OWN) -> httpx.Client:
    """For one of our servers; its receipts and counters lie beside its API."""
    url, key = settings.EMBEDDINGS_URL, settings.EMBEDDINGS_API_KEY
    if source == OWN_CHAT:
        url, key = settings.CHAT_URL, settings.CHAT_API_KEY
    root = url.rstrip("/").removesuffix("/v1")
    return internal_client(root, timeout_s=10.0, api_key=key)


def page_fetch(client: httpx.Client, *, after: int, limit: int = PAGE) -> ReceiptPage:
    """Receipts numbered above `after`. Raises `UpstreamFailed`, permanent when an answer cannot be read: then
    none of it is taken, so that none can be lost.
    """
    try:
        response = client.get("/receipts", params={"after": after, "limit": limit})
        response.raise_for_status()
    except httpx.HTTPError:
        raise UpstreamFailed(
            "The receipts cannot be fetched.", code="receipts_unavailable"
        ) from None
    try:
        return _page(response.json(), after)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpstreamFailed(
            "The receipts cannot be read.", code="receipts_unusable", permanent=True
        ) from error


def _is_own_chat() -> bool:
    return bool(settings.CHAT_URL) and settings.CHAT_DIALECT == "own"


def _page(page: Mapping[str, Any], after: int) -> ReceiptPage:
    receipts = tuple(_row(row) for row in page["receipts"])
    numbers = [after, *(receipt.seq for receipt in receipts)]
    if numbers != sorted(set(numbers)) or page["next_after"] != numbers[-1]:
        raise ValueError("receipts are out of order")
    return ReceiptPage(
        _text(page, "boot_id"), _whole(page, "last_seq"), receipts, page["has_more"] is True
    )


def _row(row: Mapping[str, Any]) -> ReceiptRow:
    return ReceiptRow(
        boot_id=_text(row, "boot_id"),
        seq=_whole(row, "seq"),
        request_id=_text(row, "request_id"),
        kind=_text(row, "kind"),
        counts=Counts(row["in_hit"], row["in_miss"], row["out"], row["reasoning"]),
        busy_us=_whole(row, "busy_us"),
        finish_reason=_text(row, "finish_reason"),
        started_at=_time(row["started_at"]),
        finished_at=_time(row["finished_at"]),
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _whole(row: Mapping[str, Any], name: str) -> int:
    value = row[name]
    if type(value) is not int or value < 0:
        raise UsageInvalid(f"{name} is no count")
    return value


def _time(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time has no zone")
    return moment
