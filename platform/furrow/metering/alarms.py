"""Comparisons that differ, and who looked into them. For the operator; opens its own scope."""

from dataclasses import dataclass
from uuid import UUID

from furrow.core.context import unscoped
from furrow.core.errors import Invalid, NotFound
from furrow.metering.models import AlarmSeen, Reconciliation

# The figures that make an alarm. When one changes, it is another alarm and rings again.
_FIGURES = (
    "balance_difference",
    "held_difference",
    "missing_receipts",
    "overdue_holds",
    "free_events",
)


@dataclass(frozen=True)
class Alarm:
    """`latest` is None before the first comparison. `seen` is set when these very figures were looked into."""

    latest: Reconciliation | None
    seen: AlarmSeen | None

    @property
    def rings(self) -> bool:
        return self.latest is not None and not self.latest.is_clean and self.seen is None


def alarm(source: str = "own") -> Alarm:
    with unscoped("show the operator the last comparison"):
        latest = Reconciliation.objects.filter(source=source).order_by("-created_at").first()
        if latest is None or latest.is_clean:
            return Alarm(latest, None)
        known = AlarmSeen.objects.filter(reconciliation__source=source).select_related(
            "reconciliation"
        )
        for seen in known.order_by("-created_at")[:20]:
            if _same(seen.reconciliation, latest):
                return Alarm(latest, seen)
    return Alarm(latest, None)


def _same(one: Reconciliation, other: Reconciliation) -> bool:
    return _tokens(one) == _tokens(other) and all(
        getattr(one, name) == getattr(other, name) for name in _FIGURES
    )


def _tokens(row: Reconciliation) -> int:
    """The server's own counter goes on between two comparisons, so only the rest is compared."""
    return int(row.receipt_tokens - row.event_tokens)


def alarm_acknowledge(*, reconciliation_id: UUID, seen_by: str, note: str) -> AlarmSeen:
    """Silences these figures until one of them changes."""
    if not note.strip() or len(note) > 300:
        raise Invalid("Say what you found, in 300 characters at most.", field="note")
    with unscoped("keep who looked into an alarm"):
        row = Reconciliation.objects.filter(id=reconciliation_id, is_clean=False).first()
        if row is None:
            raise NotFound("There is no such alarm.")
        return AlarmSeen.objects.create(reconciliation=row, seen_by=seen_by, note=note.strip())


def comparisons(limit: int = 30, source: str = "own") -> list[Reconciliation]:
    with unscoped("show the operator the last comparisons"):
        return list(Reconciliation.objects.filter(source=source).order_by("-created_at")[:limit])
