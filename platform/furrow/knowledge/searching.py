"""What a search may see, and the rows of what it found; inside `tenant_tx`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import F, Func, JSONField, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONObject
from django.utils import timezone

from furrow.core.context import current_tenant_id
from furrow.core.errors import Invalid
from furrow.knowledge.bulk import binary_cursor
from furrow.knowledge.lexical.store import Scope
from furrow.knowledge.models import Chunk

# The most chunks out of their dates that the search test looks through.
MAX_EXPLAINED = 2_000
_ALLOWED = {"document_ids", "metadata", "valid_on"}


@dataclass(frozen=True)
class Filters:
    document_ids: list[UUID] | None = None
    metadata: dict[str, Any] | None = None
    valid_on: date | None = None

    @property
    def is_empty(self) -> bool:
        return self.document_ids is None and not self.metadata

    @property
    def day(self) -> date:
        """The day that what is found must be valid on: today in TIME_ZONE, unless another one is asked for."""
        return self.valid_on or timezone.localdate()

    @classmethod
    def checked(cls, raw: Mapping[str, Any] | None) -> "Filters":
        """An unknown filter is refused: leaving it aside would show more than was asked for."""
        raw = raw or {}
        if unknown := sorted(set(raw) - _ALLOWED):
            raise Invalid("This filter is not known.", field="filters", unknown=unknown)
        metadata = raw.get("metadata")
        if metadata is not None and not isinstance(metadata, dict):
            raise Invalid("The metadata filter is an object.", field="filters")
        ids = raw.get("document_ids")
        return cls(None if ids is None else _uuids(ids), metadata, _day(raw.get("valid_on")))


def _day(value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Invalid("valid_on is a day as YYYY-MM-DD.", field="filters") from None


def _uuids(values: Any) -> list[UUID]:
    if not isinstance(values, list | tuple):
        raise Invalid("document_ids is a list of ids.", field="filters")
    try:
        return [value if isinstance(value, UUID) else UUID(str(value)) for value in values]
    except ValueError:
        raise Invalid("document_ids is a list of ids.", field="filters") from None


_OUT_OF_DATE = """
SELECT c.id FROM knowledge_document d
  JOIN knowledge_chunk c ON c.tenant_id = d.tenant_id AND c.document_id = d.id
 WHERE d.tenant_id = %b AND d.knowledge_base_id = ANY(%b)
   AND (d.valid_from IS NOT NULL OR d.valid_to IS NOT NULL)
   AND (d.valid_from > %b OR d.valid_to < %b)
"""
_WITHIN = """
SELECT c.id FROM knowledge_document d
  JOIN knowledge_chunk c ON c.tenant_id = d.tenant_id AND c.document_id = d.id
 WHERE d.tenant_id = %b AND d.knowledge_base_id = ANY(%b) AND c.version_id = d.live_version_id
   AND d.deleted_at IS NULL AND (%b OR d.id = ANY(%b)) AND d.metadata @> %b::text::jsonb
   AND coalesce(d.valid_from <= %b, true) AND coalesce(d.valid_to >= %b, true)
"""


def scope_of(knowledge_base_ids: Sequence[UUID], filters: Filters) -> Scope:
    """Without filters the few chunks out of their dates are left out; with filters the chunks that pass
    are named.
    """
    keys = [current_tenant_id(), list(knowledge_base_ids)]
    today = filters.day
    with binary_cursor() as cursor:
        if filters.is_empty:
            cursor.execute(_OUT_OF_DATE, [*keys, today, today])
            return Scope(without=[row[0] for row in cursor])
        ids = filters.document_ids
        metadata = json.dumps(filters.metadata or {}, ensure_ascii=False)
        cursor.execute(_WITHIN, [*keys, ids is None, ids or [], metadata, today, today])
        return Scope(within=[row[0] for row in cursor])


def _pages_touched() -> Func:
    """Of a long document only the pages that the chunk lies on."""
    path = RawSQL("'$[*] ? (@.end > $low && @.start < $high)'::jsonpath", [])
    span = JSONObject(low=F("start"), high=F("end"))
    return Func(
        F("version__pages"),
        path,
        span,
        function="jsonb_path_query_array",
        output_field=JSONField(),
    )


def chunks_fetch(chunk_ids: Sequence[UUID], day: date | None = None) -> dict[UUID, Chunk]:
    """Those that may be shown at this moment, with their documents and `pages_touched`, in one query."""
    today = day or timezone.localdate()
    chunks = _chunks(chunk_ids).filter(
        Q(document__valid_from=None) | Q(document__valid_from__lte=today),
        Q(document__valid_to=None) | Q(document__valid_to__gte=today),
    )
    return {chunk.id: chunk for chunk in chunks}


def expired_fetch(chunk_ids: Sequence[UUID], day: date) -> dict[UUID, tuple[Chunk, str]]:
    """Chunks that only their dates keep back, each with `expired` or `not_yet_valid`; for explaining."""
    rows = _chunks(list(chunk_ids)[:MAX_EXPLAINED])
    return {
        chunk.id: (
            chunk,
            "not_yet_valid"
            if chunk.document.valid_from and chunk.document.valid_from > day
            else "expired",
        )
        for chunk in rows
    }


def _chunks(chunk_ids: Sequence[UUID]) -> Any:
    return (
        Chunk.objects.filter(
            id__in=chunk_ids,
            is_enabled=True,
            document__deleted_at__isnull=True,
            document__live_version_id=F("version_id"),
        )
        .annotate(pages_touched=_pages_touched())
        .select_related("document")
        .defer("flags", "document__metadata", "document__cites")
    )
