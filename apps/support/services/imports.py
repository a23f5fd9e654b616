"""Importing a file: read and shown first, taken over as a whole or not at all, and taken back with one step."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.support.facts.order_numbers import folded_number
from apps.support.importing.columns import columns_of, guessed, head_digest, platform_of
from apps.support.importing.rows import Read, rows_read
from apps.support.importing.tables import table_read
from apps.support.models import (
    ColumnMapping,
    ImportBatch,
    ImportChange,
    ImportRow,
    Order,
    ShippingRule,
    Sku,
)
from apps.support.models.imports import ImportKind
from apps.support.models.orders import Platform
from apps.support.services.catalogue import shipping_rule_upsert, sku_upsert, stock_set_by_code
from apps.support.services.orders import order_upsert
from apps.support.services.recording import Recorder, change_undo
from furrow.core.errors import Conflict, Invalid
from furrow.tenants.services import Actor, audit

PREVIEW_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Preview:
    """What taking the file over would do."""

    good: int
    bad: int
    made: int
    updated: int


@transaction.atomic
def batch_create(
    *, actor: Actor, kind: str, data: bytes, file_name: str, platform: str = "", user_id: Any = None
) -> ImportBatch:
    """Reads a file and keeps what it would do; nothing is taken over yet."""
    if kind not in ImportKind.values:
        raise Invalid(_("This kind of import does not exist."), field="kind")
    if platform and platform not in Platform.values:
        raise Invalid(_("This platform does not exist."), field="platform")
    table = table_read(data, kind=kind)
    _previews_expire()
    known = ColumnMapping.objects.filter(kind=kind, head_digest=head_digest(table.head)).first()
    columns = known.columns if known else guessed(kind, table.head)
    batch: ImportBatch = ImportBatch.objects.create(
        kind=kind,
        platform=(platform or platform_of(table.head)) if kind == ImportKind.ORDERS else "",
        file_name=file_name[-200:],
        encoding=table.encoding,
        head=table.head,
        columns=columns,
        rows_total=len(table.rows),
        made_by_id=user_id,
    )
    _rows_store(batch, table.rows)
    audit(actor, "support.import_read", object_type="import", object_id=batch.id, kind=kind)
    return batch


@transaction.atomic
def batch_remap(*, batch: ImportBatch, columns: Mapping[str, int]) -> ImportBatch:
    """Reads the same rows again with other columns."""
    batch = _locked(batch, ImportBatch.State.PREVIEW)
    fields = {column.field for column in columns_of(batch.kind)}
    if set(columns) - fields or not all(0 <= at < len(batch.head) for at in columns.values()):
        raise Invalid(_("This column does not exist."), field="columns")
    if len(set(columns.values())) < len(columns):
        raise Invalid(_("A column can mean one thing only."), field="columns")
    batch.columns = dict(columns)
    rows = [(row.line, row.cells) for row in ImportRow.objects.filter(batch=batch).order_by("line")]
    ImportRow.objects.filter(batch=batch).delete()
    _rows_store(batch, rows)
    return batch


def _previews_expire() -> None:
    """A preview that nobody took over is thrown away with the rows of its file."""
    old = ImportBatch.objects.filter(
        state=ImportBatch.State.PREVIEW, created_at__lt=timezone.now() - PREVIEW_KEPT
    )
    ImportRow.objects.filter(batch__in=old).delete()
    old.update(state=ImportBatch.State.DROPPED)


def _rows_store(batch: ImportBatch, rows: Sequence[tuple[int, list[str]]]) -> None:
    codes = frozenset(Sku.objects.filter(deleted_at=None).values_list("code", flat=True))
    read = rows_read(batch.kind, batch.head, rows, batch.columns, known_codes=codes)
    tenant_id = batch.tenant_id
    ImportRow.objects.bulk_create(
        [
            ImportRow(
                tenant_id=tenant_id,
                batch=batch,
                line=row.line,
                cells=row.cells,
                values=row.values,
                problems=row.problems,
            )
            for row in read
        ],
        batch_size=1000,
    )
    batch.rows_bad = sum(bool(row.problems) for row in read)
    batch.save(update_fields=["columns", "rows_bad"])


def batch_preview(batch: ImportBatch) -> Preview:
    good = list(ImportRow.objects.filter(batch=batch, problems=[]).values_list("values", flat=True))
    keys = {_key(batch.kind, values) for values in good}
    if batch.kind == ImportKind.ORDERS:
        rows = Order.objects.filter(platform=batch.platform, number__in=keys)
        known = set(rows.values_list("number", flat=True))
    elif batch.kind == ImportKind.SHIPPING:
        known = set(ShippingRule.objects.filter(name__in=keys).values_list("name", flat=True))
    else:
        known = set(Sku.objects.filter(code__in=keys).values_list("code", flat=True))
    return Preview(len(good), batch.rows_bad, len(keys - known), len(keys & known))


def _key(kind: str, values: Mapping[str, Any]) -> str:
    if kind == ImportKind.ORDERS:
        return folded_number(values["number"])
    return str(values["name" if kind == ImportKind.SHIPPING else "code"])


@transaction.atomic
def batch_apply(*, actor: Actor, batch: ImportBatch, is_good_only: bool = False) -> Recorder:
    """Takes the file over in one transaction. With bad rows in it the whole file is refused, unless the owner says
    that the good rows shall do; an order with one bad line counts as bad.
    """
    batch = _locked(batch, ImportBatch.State.PREVIEW)
    if batch.rows_bad and not is_good_only:
        raise Conflict(
            _(
                "Some rows have mistakes, so nothing was taken over. Mend the file, or take the good rows."
            ),
            code="bad_rows",
        )
    rows = list(ImportRow.objects.filter(batch=batch).order_by("line"))
    if not any(not row.problems for row in rows):
        raise Conflict(
            _("No row of this file is right, so nothing was taken over."), code="bad_rows"
        )
    recorder = Recorder()
    _APPLY[batch.kind](batch, rows, recorder)
    ImportChange.objects.bulk_create(
        [
            ImportChange(tenant_id=batch.tenant_id, batch=batch, position=position, **change)
            for position, change in enumerate(recorder.changes)
        ],
        batch_size=1000,
    )
    # Whole names, phones and addresses of the file are not needed any more.
    ImportRow.objects.filter(batch=batch).update(cells=[])
    batch.state, batch.applied_at = ImportBatch.State.APPLIED, timezone.now()
    batch.save(update_fields=["state", "applied_at"])
    ColumnMapping.objects.update_or_create(
        kind=batch.kind, head_digest=head_digest(batch.head), defaults={"columns": batch.columns}
    )
    audit(actor, "support.import_applied", object_type="import", object_id=batch.id, rows=len(rows))
    return recorder


def _apply_products(batch: ImportBatch, rows: Iterable[Read], recorder: Recorder) -> None:
    for row in _good(rows):
        sku_upsert(values=row.values, as_of=batch.created_at, recorder=recorder)


def _apply_stock(batch: ImportBatch, rows: Iterable[Read], recorder: Recorder) -> None:
    for row in _good(rows):
        stock_set_by_code(**row.values, as_of=batch.created_at, recorder=recorder)


def _apply_shipping(batch: ImportBatch, rows: Iterable[Read], recorder: Recorder) -> None:
    for row in _good(rows):
        shipping_rule_upsert(values=row.values, as_of=batch.created_at, recorder=recorder)


def _apply_orders(batch: ImportBatch, rows: Iterable[Read], recorder: Recorder) -> None:
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    spoilt = set()
    for row in rows:
        number = row.values.get("number", "")
        if row.problems:
            spoilt.add(number)
        else:
            lines[number].append(row.values)
    for number, values in lines.items():
        if number not in spoilt:
            merged = {name: value for line in values for name, value in line.items()}
            order_upsert(
                platform=batch.platform,
                values=merged,
                lines=values,
                as_of=batch.created_at,
                recorder=recorder,
            )


def _good(rows: Iterable[Read]) -> list[Read]:
    return [row for row in rows if not row.problems]


_APPLY: dict[str, Any] = {
    ImportKind.PRODUCTS: _apply_products,
    ImportKind.STOCK: _apply_stock,
    ImportKind.SHIPPING: _apply_shipping,
    ImportKind.ORDERS: _apply_orders,
}


@transaction.atomic
def batch_undo(*, actor: Actor, batch: ImportBatch) -> None:
    """Puts everything back as it was before the file; refused as a whole when something was changed since."""
    batch = _locked(batch, ImportBatch.State.APPLIED)
    for change in ImportChange.objects.filter(batch=batch).order_by("-position"):
        change_undo(change)
    batch.state, batch.undone_at = ImportBatch.State.UNDONE, timezone.now()
    batch.save(update_fields=["state", "undone_at"])
    audit(actor, "support.import_undone", object_type="import", object_id=batch.id)


@transaction.atomic
def batch_drop(*, actor: Actor, batch: ImportBatch) -> None:
    """Throws a preview away, with the rows of the file."""
    batch = _locked(batch, ImportBatch.State.PREVIEW)
    ImportRow.objects.filter(batch=batch).delete()
    batch.state = ImportBatch.State.DROPPED
    batch.save(update_fields=["state"])
    audit(actor, "support.import_dropped", object_type="import", object_id=batch.id)


def _locked(batch: ImportBatch, state: str) -> ImportBatch:
    row: ImportBatch = ImportBatch.objects.select_for_update(of=("self",)).get(
        id=UUID(str(batch.id))
    )
    if row.state != state:
        raise Conflict(_("This import was settled already."))
    return row
