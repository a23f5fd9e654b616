"""What a turn used and cost, from the events of the ledger: calls that were broken off are in them too."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum

from furrow.metering.models.usage import UsageEvent
from furrow.metering.selectors import charged_for


@dataclass(frozen=True)
class Spent:
    """`usage` counts the chat model's tokens; `amount` is all that was charged, embeddings included."""

    usage: dict[str, int]
    amount: Decimal
    currency: str

    def as_fields(self) -> dict[str, Any]:
        """For the turn's row; nothing used leaves its defaults."""
        fields: dict[str, Any] = {"cost_amount": self.amount}
        if self.currency:
            fields["cost_currency"] = self.currency
        return fields | ({"usage": self.usage} if any(self.usage.values()) else {})


def turn_spent(turn_id: UUID, *, since: datetime) -> Spent:
    """Inside `tenant_tx`. What a receipt still has to say is not in it yet."""
    amount, currency = charged_for(turn_id=turn_id, since=since)
    chats = Q(hold__kind="chat")
    sums = UsageEvent.objects.filter(chats, turn_id=str(turn_id), started_at__gte=since).aggregate(
        input_hit=Sum("in_hit"),
        input_miss=Sum("in_miss"),
        output=Sum("out"),
        reasoning=Sum("reasoning"),
    )
    return Spent({name: int(value or 0) for name, value in sums.items()}, amount, currency)
