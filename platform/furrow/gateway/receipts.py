"""Receipts of our own model server: what it counted for each request, numbered without gaps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from django.conf import settings

from furrow.core.errors import UpstreamFailed
from furrow.gateway.connections import connection_to
from furrow.gateway.usage import Usage, UsageInvalid

MAX_RECEIPTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One request that was given work, complete or not. `tenant` is the tag that the gateway sent."""

    boot_id: str
    seq: int
    request_id: str
    tenant: str
    kind: str
    model: str
    usage: Usage
    busy_us: int
    finish_reason: str
    started_at: datetime
    first_token_at: datetime | None
    finished_at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """Receipts in order. Ask again from `next_after` while `has_more`."""

    boot_id: str
    receipts: tuple[Receipt, ...]
    next_after: int
    has_more: bool


def receipts_after(seq: int, *, limit: int = MAX_RECEIPTS) -> ReceiptPage:
    """Receipts numbered above `seq` from the server at `CHAT_URL`, which must be our own.

    All or nothing: one receipt that cannot be read raises `UpstreamFailed` (permanent), and none is lost.
    """
    if settings.CHAT_DIALECT != "own" or not settings.CHAT_URL:
        raise UpstreamFailed(
            "Only the own model server writes receipts.", code="receipts_absent", permanent=True
        )
    url = settings.CHAT_URL.rstrip("/").removesuffix("/v1")
    connection = connection_to(url, settings.CHAT_API_KEY, use="receipts")
    connection.breaker.before_call()
    try:
        response = connection.client.get("receipts", params={"after": seq, "limit": limit})
        response.raise_for_status()
    except httpx.HTTPError:
        connection.breaker.failed()
        raise UpstreamFailed(
            "The receipts cannot be fetched.", code="receipts_unavailable"
        ) from None
    connection.breaker.succeeded()
    try:
        return _page(response.json(), seq)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UpstreamFailed(
            "The receipts cannot be read.", code="receipts_unusable", permanent=True
        ) from error


def _page(page: Mapping[str, Any], after: int) -> ReceiptPage:
    receipts = tuple(_receipt(row) for row in page["receipts"])
    numbers = [after, *(receipt.seq for receipt in receipts)]
    if numbers != sorted(set(numbers)) or page["next_after"] != numbers[-1]:
        raise ValueError("receipts are out of order")
    return ReceiptPage(_text(page, "boot_id"), receipts, numbers[-1], page["has_more"] is True)


def _receipt(row: Mapping[str, Any]) -> Receipt:
    first_token_at = row.get("first_token_at")
    return Receipt(
        boot_id=_text(row, "boot_id"),
        seq=_whole(row, "seq"),
        request_id=_text(row, "request_id"),
        tenant=_text(row, "tenant"),
        kind=_text(row, "kind"),
        model=_text(row, "model"),
        usage=Usage(*(_whole(row, name) for name in ("in_hit", "in_miss", "out", "reasoning"))),
        busy_us=_whole(row, "busy_us"),
        finish_reason=_text(row, "finish_reason"),
        started_at=_time(row["started_at"]),
        first_token_at=None if first_token_at is None else _time(first_token_at),
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
