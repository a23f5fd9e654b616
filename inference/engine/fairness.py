"""Who is served next: priority classes with ageing, and within a class a virtual token counter
per tenant (Sheng et al., OSDI 2024): the tenant that was given least goes first."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from inference.engine.request import Priority, Sequence

# Weights in the ratio of usual prices, so that a good prompt is not punished.
HIT_WEIGHT, MISS_WEIGHT, OUT_WEIGHT = 1, 4, 16
# After so long in the queue a sequence counts as one class higher.
AGEING_S = 20.0
# Idle tenants beyond this number are forgotten once their counter says nothing any more.
MAX_REMEMBERED = 1000


@dataclass(slots=True)
class Tenant:
    """A tenant with something waiting or running."""

    counter: int = 0
    running: int = 0
    blocks: int = 0
    waiting: dict[Priority, deque[Sequence]] = field(
        default_factory=lambda: {priority: deque() for priority in Priority}
    )

    @property
    def is_active(self) -> bool:
        return self.running > 0 or any(self.waiting.values())


class FairQueue:
    """Waiting sequences of every tenant, and what each tenant was given."""

    def __init__(self) -> None:
        self._tenants: dict[str, Tenant] = {}
        # The counter of the tenant that left last, for the time when none is active.
        self._floor = 0
        self.length = 0

    def tenant(self, sequence: Sequence) -> Tenant:
        return self._tenants[sequence.tenant]

    def push(self, sequence: Sequence, *, first: bool = False) -> None:
        """Queue a sequence; `first` puts one back that had been running."""
        tenant = self._tenants.setdefault(sequence.tenant, Tenant())
        if not tenant.is_active:
            # A tenant that was away gets no credit for it, and keeps no debt-free start either.
            tenant.counter = max(tenant.counter, self._lowest())
        lane = tenant.waiting[sequence.request.priority]
        if first:
            lane.appendleft(sequence)
        else:
            lane.append(sequence)
        self.length += 1

    def best(self, now: float, may_run: Callable[[Sequence], bool]) -> Sequence | None:
        """The sequence to serve next among those that may run; it stays queued."""
        ranked = (
            (self._rank(tenant, sequence, now), sequence)
            for tenant in self._tenants.values()
            for sequence in self._heads(tenant, may_run)
        )
        found = min(ranked, key=lambda pair: pair[0], default=None)
        return found[1] if found else None

    def admit(self, sequence: Sequence, cost: int) -> None:
        """Take the sequence from the queue as running, and charge the cost of its prompt."""
        tenant = self._take(sequence)
        tenant.running += 1
        tenant.counter += cost

    def remove(self, sequence: Sequence) -> None:
        """Take a waiting sequence out of the queue."""
        self._left(self._take(sequence))

    def retire(self, sequence: Sequence) -> None:
        """The sequence runs no longer."""
        tenant = self.tenant(sequence)
        tenant.running -= 1
        self._left(tenant)

    def charge(self, sequence: Sequence, cost: int) -> None:
        self.tenant(sequence).counter += cost

    def _take(self, sequence: Sequence) -> Tenant:
        tenant = self.tenant(sequence)
        tenant.waiting[sequence.request.priority].remove(sequence)
        self.length -= 1
        return tenant

    def _left(self, tenant: Tenant) -> None:
        if tenant.is_active:
            return
        self._floor = tenant.counter
        if len(self._tenants) > MAX_REMEMBERED:
            lowest = self._lowest()
            self._tenants = {
                name: known
                for name, known in self._tenants.items()
                if known.is_active or known.counter > lowest
            }

    def _lowest(self) -> int:
        active = (known.counter for known in self._tenants.values() if known.is_active)
        return min(active, default=self._floor)

    @staticmethod
    def _heads(tenant: Tenant, may_run: Callable[[Sequence], bool]) -> Iterator[Sequence]:
        for lane in tenant.waiting.values():
            head = next((sequence for sequence in lane if may_run(sequence)), None)
            if head is not None:
                yield head

    @staticmethod
    def _rank(tenant: Tenant, sequence: Sequence, now: float) -> tuple[int, int, int]:
        return aged_class(sequence, now), tenant.counter, sequence.arrival


def aged_class(sequence: Sequence, now: float) -> int:
    """The priority class after waiting: everything becomes interactive in the end."""
    aged = int((now - sequence.queued_at) / AGEING_S)
    return max(0, sequence.request.priority - aged)
