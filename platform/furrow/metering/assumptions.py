"""What an owner supposes about people's work, kept for the comparison. Inside `tenant_tx`."""

from decimal import Decimal

from furrow.core.errors import Invalid
from furrow.metering.models import Assumptions
from furrow.tenants.services import Actor, audit


def assumptions_read() -> Assumptions:
    """The stored ones, or the usual ones, not stored."""
    return Assumptions.objects.first() or Assumptions()


def assumptions_set(
    *,
    actor: Actor,
    minutes_per_chat: Decimal,
    wage_per_hour: Decimal,
    solved_percent: int | None,
) -> Assumptions:
    if not 0 < minutes_per_chat <= 1000 or not 0 <= wage_per_hour < 10**6:
        raise Invalid("Minutes and wage are more than 0.", field="minutes_per_chat")
    if solved_percent is not None and not 0 <= solved_percent <= 100:
        raise Invalid("A share lies between 0 and 100.", field="solved_percent")
    values = {
        "minutes_per_chat": minutes_per_chat,
        "wage_per_hour": wage_per_hour,
        "solved_percent": solved_percent,
    }
    row: Assumptions = Assumptions.objects.update_or_create(defaults=values)[0]
    audit(actor, "assumptions.set", object_type="assumptions", object_id=row.id)
    return row
