"""What money bought: what answers without the model saved."""

from dataclasses import dataclass
from decimal import Decimal

from furrow.conversations.figures import Answers
from furrow.metering.money import ZERO, exact
from furrow.metering.spending import Spending, typical_answer_cost


@dataclass(frozen=True)
class Savings:
    """`each` is what an answer by the model costs; `is_measured` says that this business's own answers told."""

    each: Decimal | None
    is_measured: bool
    approved: Decimal
    quoted: Decimal
    prefix: Decimal
    approved_count: int
    quoted_count: int

    @property
    def total(self) -> Decimal:
        return exact(self.approved + self.quoted + self.prefix)


def savings(spent: Spending, answers: Answers) -> Savings:
    """What the same answers would have cost had the model written them, and the same prompts without a cache."""
    is_measured = bool(answers.written_with_tests and spent.written > 0)
    each = (
        exact(spent.written / answers.written_with_tests)
        if is_measured
        else typical_answer_cost(spent.currency)
    )
    approved = sum(answers.by_rung.get(rung, 0) for rung in ("approved", "fact"))
    quoted = answers.by_rung.get("quoted", 0)
    return Savings(
        each=each,
        is_measured=is_measured,
        approved=exact((each or ZERO) * approved),
        quoted=exact((each or ZERO) * quoted),
        prefix=spent.saved,
        approved_count=approved,
        quoted_count=quoted,
    )
