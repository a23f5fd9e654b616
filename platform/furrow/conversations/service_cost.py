"""What serving visitors cost, with its parts, beside people alone. Inside `tenant_tx`.

Measured: what the assistant was charged, and the minutes of people from the times of their replies. Supposed by the
owner, and changed under "Is it worth it?": the wage, and how long a conversation takes where people answer alone.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils import timezone

from furrow.conversations.service_report import Served
from furrow.metering.assumptions import assumptions_read
from furrow.metering.money import exact
from furrow.metering.spending import spending

_HOUR = Decimal(3600)
_MINUTES = Decimal(60)


@dataclass(frozen=True)
class ServiceCost:
    """`assistant` and `people` are what was spent, `people_only` what the same conversations would have cost without
    the assistant. A share or a cost of each is None before there is something to divide by.
    """

    currency: str
    assistant: Decimal
    people: Decimal
    people_only: Decimal
    wage_per_hour: Decimal
    minutes_per_chat: Decimal
    resolved: int
    confirmed: int

    @property
    def together(self) -> Decimal:
        return exact(self.assistant + self.people)

    @property
    def saved_share(self) -> float | None:
        """Below 0 it cost more than people alone."""
        if not self.people_only:
            return None
        return float((self.people_only - self.together) / self.people_only)

    def each_resolved(self, amount: Decimal) -> Decimal | None:
        return exact(amount / self.resolved) if self.resolved else None

    def each_confirmed(self, amount: Decimal) -> Decimal | None:
        """Everything that was spent, on the few of whom it is known for sure."""
        return exact(amount / self.confirmed) if self.confirmed else None


def service_cost(found: Served, since: date, until: date) -> ServiceCost:
    """Of the same days as `found`; two queries."""
    spent = spending(since=since, until=until, today=timezone.localdate())
    supposed = assumptions_read()
    worked = Decimal(str(round(found.human_s, 3)))
    minutes, wage = Decimal(supposed.minutes_per_chat), Decimal(supposed.wage_per_hour)
    return ServiceCost(
        currency=spent.currency,
        assistant=spent.span,
        people=exact(worked / _HOUR * wage),
        people_only=exact(minutes / _MINUTES * wage * found.conversations),
        wage_per_hour=wage,
        minutes_per_chat=minutes,
        resolved=found.resolved,
        confirmed=found.confirmed,
    )
