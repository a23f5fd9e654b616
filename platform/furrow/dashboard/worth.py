"""The comparison owners ask for: people alone, against the assistant with people for the rest."""

from dataclasses import dataclass
from decimal import Decimal

from furrow.conversations.figures import Answers
from furrow.metering.models import Assumptions
from furrow.metering.money import ZERO, exact

_MINUTES = Decimal(60)


@dataclass(frozen=True)
class Worth:
    """`share` is the part of chats that the assistant ends alone; `is_measured` whether it was counted or
    supposed. `each_*` are None before there is one.
    """

    chats: int
    bill: Decimal
    person_each: Decimal
    people_only: Decimal
    people_rest: Decimal
    share: Decimal
    is_measured: bool
    resolved: int
    confirmed: int

    @property
    def together(self) -> Decimal:
        return exact(self.bill + self.people_rest)

    @property
    def difference(self) -> Decimal:
        """Above 0 the assistant saves."""
        return exact(self.people_only - self.together)

    @property
    def difference_size(self) -> Decimal:
        return abs(self.difference)

    @property
    def each_resolved(self) -> Decimal | None:
        return exact(self.bill / self.resolved) if self.resolved else None

    @property
    def each_confirmed(self) -> Decimal | None:
        return exact(self.bill / self.confirmed) if self.confirmed else None

    @property
    def _scale(self) -> Decimal:
        return max(self.people_only, self.together)

    @property
    def people_only_length(self) -> float:
        return float(self.people_only / self._scale) if self._scale else 0.0

    @property
    def bill_length(self) -> float:
        return float(self.bill / self._scale) if self._scale else 0.0

    @property
    def rest_length(self) -> float:
        return float(self.people_rest / self._scale) if self._scale else 0.0


def compared(answers: Answers, bill: Decimal, supposed: Assumptions) -> Worth:
    chats = answers.conversations
    measured = Decimal(answers.resolved) / chats if chats else ZERO
    is_measured = supposed.solved_percent is None
    share = measured if is_measured else Decimal(supposed.solved_percent or 0) / 100
    person = exact(Decimal(supposed.minutes_per_chat) / _MINUTES * Decimal(supposed.wage_per_hour))
    return Worth(
        chats=chats,
        bill=bill,
        person_each=person,
        people_only=exact(person * chats),
        people_rest=exact(person * chats * (1 - share)),
        share=share,
        is_measured=is_measured,
        resolved=answers.resolved,
        confirmed=answers.confirmed,
    )
