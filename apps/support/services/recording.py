"""Remembers what a write changed, so that an import can be taken back."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.utils.translation import gettext as _

from furrow.core.errors import Conflict

# Set when the row is saved, not by a file.
_UNCOMPARED = {"changed_at", "created_at", "tenant_id"}


@dataclass
class Recorder:
    """Rows as they were and as they are. `made` and `changed` count what people count: goods, zones, orders."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    made: int = 0
    changed: int = 0

    def save(self, row: models.Model, *, is_counted: bool = False) -> None:
        """Saves a new or changed row; a row that stays as it is costs nothing but its `as_of`."""
        before = None
        if not row._state.adding:
            before = as_json(type(row).objects.select_for_update().get(pk=row.pk))  # type: ignore[attr-defined]
        after = as_json(row)
        if before == after:
            return
        row.save()
        self.changes.append(
            {"model": row._meta.model_name, "row_id": row.pk, "before": before, "after": after}
        )
        if is_counted:
            self.made += before is None
            self.changed += before is not None


def as_json(row: models.Model) -> dict[str, Any]:
    return {
        each.attname: _plain(getattr(row, each.attname))
        for each in row._meta.concrete_fields
        if each.attname not in _UNCOMPARED
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | bool | list | dict | None) else str(value)


def change_undo(change: Any) -> None:
    """Puts one row back. Raises `Conflict` when somebody changed it since: their work must not vanish."""
    model = apps.get_model("support", change.model)
    row = model._default_manager.select_for_update().filter(pk=change.row_id).first()
    if row is None:
        if change.before is None:
            return
        raise _changed_since()
    if not _is_same(row, change.after):
        raise _changed_since()
    if change.before is None:
        _refuse_if_used(row)
        row.delete()
        return
    for each in row._meta.concrete_fields:
        if each.attname in change.before:
            value = change.before[each.attname]
            setattr(row, each.attname, _value(each, value))
    row.save()


def _is_same(row: models.Model, after: dict[str, Any]) -> bool:
    now = as_json(row)
    return all(
        _same(each, now[each.attname], after.get(each.attname))
        for each in row._meta.concrete_fields
        if each.attname in now
    )


def _same(each: Any, left: Any, right: Any) -> bool:
    """Compared as values: 12.50 and 12.5 are one price."""
    return bool(_value(each, left) == _value(each, right))


def _value(each: Any, value: Any) -> Any:
    if isinstance(each, models.ForeignKey):
        return UUID(str(value)) if value else None
    return value if isinstance(each, models.JSONField) else each.to_python(value)


def _refuse_if_used(row: models.Model) -> None:
    for name in ("claims", "requests"):
        used = getattr(row, name, None)
        if used is not None and used.exists():
            raise Conflict(
                _(
                    "An order of this import has a claim or a request already. Nothing was taken back."
                )
            )


def _changed_since() -> Conflict:
    return Conflict(
        _("Something of this import was changed since. Nothing was taken back."),
        code="changed_since",
    )
