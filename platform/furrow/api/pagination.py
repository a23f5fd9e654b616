"""Cursor pagination by (created_at, id): stable while rows are added, one index scan a page."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from furrow.core.errors import Invalid

MAX_LIMIT = 200


def page(
    rows: QuerySet[Any], *, cursor: str, limit: int, render: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """`{"items": [...], "next_cursor": str | None}`, newest first."""
    limit = max(1, min(limit, MAX_LIMIT))
    if cursor:
        created_at, row_id = _decode(cursor)
        rows = rows.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, id__lt=row_id))
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    items, more = found[:limit], len(found) > limit
    return {
        "items": [render(row) for row in items],
        "next_cursor": _encode(items[-1]) if more else None,
    }


def _encode(row: Any) -> str:
    text = json.dumps([row.created_at.isoformat(), str(row.id)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        created_at, row_id = json.loads(base64.urlsafe_b64decode(padded))
        return datetime.fromisoformat(created_at), str(row_id)
    except (ValueError, TypeError, binascii.Error):
        raise Invalid("This cursor is not one of ours.", field="cursor") from None
