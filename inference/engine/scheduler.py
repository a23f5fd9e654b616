"""What runs in the next step: decoding first, then running prompts, then new admissions, within
one budget of tokens. Plain bookkeeping: no tensors, no clock of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from inference.engine.fairness import (
    HIT_WEIGHT,
    MISS_WEIGHT,
    OUT_WEIGHT,
    FairQueue,
    aged_class,
)
from inference.engine.kv_blocks import BlockPool, chain_next, chain_root
from inference.engine.request import FinishReason, Sequence, State

# Of all blocks, kept free at an admission so that running sequences can grow for a while.
WATERMARK = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerLimits:
    """`step_tokens` bounds one step, and with it the pause between two tokens of a stream.

    A tenant may pass its `tenant_blocks` only with a single sequence, which must be able to run.
    """

    step_tokens: int = 256
    sequences: int = 32
    tenant_sequences: int | None = None
    tenant_blocks: int | None = None
    guesses: int = 0
    guess_below: int = 4

    def __post_init__(self) -> None:
        if self.step_tokens < 2 * self.sequences:
            # Otherwise decoding alone could fill every step and no prompt would ever run.
            raise ValueError("A step must hold at least two tokens for each running sequence.")


@dataclass(slots=True)
class Slice:
    """The ids of a sequence from `start` to `end` run in this step, then its guesses.

    `samples`: it reaches the last id, so that a next token can be chosen.
    """

    sequence: Sequence
    start: int
    end: int
    guesses: list[int] = field(default_factory=list)
    samples: bool = field(init=False)

    def __post_init__(self) -> None:
        self.samples = self.end == len(self.sequence.ids) + self.sequence.in_flight

    @property
    def tokens(self) -> int:
        return self.end - self.start + len(self.guesses)


@dataclass(slots=True)
class Plan:
    """The slices of a step in the making, and the tokens that may still be added."""

    budget: int
    slices: dict[Sequence, Slice] = field(default_factory=dict)

    def add(self, part: Slice) -> None:
        self.slices[part.sequence] = part
        self.budget -= part.tokens

    def drop(self, sequence: Sequence) -> None:
        part = self.slices.pop(sequence, None)
        if part is not None:
            self.budget += part.tokens


class Scheduler:
    """Owns the queue, the running sequences and their blocks."""

    def __init__(self, pool: BlockPool, limits: SchedulerLimits) -> None:
        self.pool = pool
        self.limits = limits
        self.queue = FairQueue()
        self.running: list[Sequence] = []
        self.preemptions = 0
        self._arrivals = 0
        self._watermark = max(1, int(pool.total * WATERMARK))

    @property
    def has_work(self) -> bool:
        return bool(self.running or self.queue.length)

    @property
    def longest(self) -> int:
        """The most ids a sequence can have here."""
        return self.pool.total * self.pool.block_size

    def add(self, sequence: Sequence, now: float) -> None:
        self._arrivals += 1
        sequence.arrival, sequence.queued_at = self._arrivals, now
        self.queue.push(sequence)

    def plan(self, now: float) -> list[Slice]:
        """The slices of the next step; their blocks are already taken."""
        plan = Plan(self.limits.step_tokens)
        preempted = self.preemptions
        may_guess = self._may_guess()
        for sequence in self._in_order(now):
            if plan.budget and sequence.state is State.RUNNING:
                self._continue(sequence, plan, now, may_guess=may_guess)
        if self.preemptions == preempted:
            while plan.budget and self._admit_one(plan, now):
                self._continue(self.running[-1], plan, now, may_guess=False)
        return list(plan.slices.values())

    def launched(self, part: Slice) -> None:
        """A slice is about to run: the next plan may build on it."""
        part.sequence.computed = part.end
        part.sequence.in_flight += part.samples

    def advance(self, done: Slice, accepted: int) -> None:
        """A slice has run and its first token is among the ids, as are those of its guesses
        that hold; its full blocks can be found now."""
        sequence = done.sequence
        upto = done.end + accepted
        sequence.computed = max(sequence.computed, upto)
        sequence.in_flight -= done.samples
        full = upto // self.pool.block_size
        self._name_blocks(sequence, full)
        for n in range(sequence.published, full):
            self.pool.publish(sequence.blocks[n], sequence.names[n])
        sequence.published = max(sequence.published, full)

    def sampled(self, sequence: Sequence, tokens: int) -> None:
        """Charge the tenant for tokens that were sampled."""
        self.queue.charge(sequence, OUT_WEIGHT * tokens)

    def finish(self, sequence: Sequence, reason: FinishReason) -> None:
        """End a sequence in whatever state it is; its blocks are free again."""
        if sequence.state is State.RUNNING:
            self._stop(sequence)
            self.queue.retire(sequence)
        elif sequence.state is State.WAITING:
            self.queue.remove(sequence)
        sequence.state, sequence.finish_reason = State.FINISHED, reason

    def _in_order(self, now: float) -> list[Sequence]:
        return sorted(
            self.running, key=lambda one: (one.pending > 1, aged_class(one, now), one.arrival)
        )

    def _continue(self, sequence: Sequence, plan: Plan, now: float, *, may_guess: bool) -> None:
        if sequence.sampled + sequence.in_flight >= sequence.request.ending.max_tokens:
            return  # its last token is on its way
        count = min(sequence.pending, plan.budget)
        part = Slice(sequence, sequence.computed, sequence.computed + count)
        if may_guess and sequence.ngrams is not None and part.samples:
            most = sequence.request.ending.max_tokens - sequence.sampled - 1
            room = min(plan.budget - count, most, self.limits.guesses)
            part.guesses = sequence.ngrams.guess(sequence.ids, room)
        if self._make_room(sequence, part.end + len(part.guesses), plan, now):
            plan.add(part)

    def _may_guess(self) -> bool:
        is_small = self.limits.guesses > 0 and len(self.running) <= self.limits.guess_below
        return is_small and all(one.pending == 1 for one in self.running)

    def _make_room(self, sequence: Sequence, upto: int, plan: Plan, now: float) -> bool:
        """Take the blocks a sequence needs, from the worst placed ones if there are too few;
        false when it was the worst placed itself."""
        need = self.pool.blocks_for(upto) - len(sequence.blocks)
        if need <= 0:
            return True
        tenant = self.queue.tenant(sequence)
        while self._is_over_cap(tenant.blocks + need) and tenant.running > 1:
            own = (one for one in self.running if one.tenant == sequence.tenant)
            if self._preempt_worst(own, plan, now) is sequence:
                return False
        while need > self.pool.available:
            if self._preempt_worst(self.running, plan, now) is sequence:
                return False
        sequence.blocks.extend(self.pool.take(need))
        tenant.blocks += need
        return True

    def _admit_one(self, plan: Plan, now: float) -> bool:
        """Move the best waiting sequence to the running ones, if there is room. One that does
        not fit is not passed over, or long prompts would wait for ever."""
        sequence = self.queue.best(now, self._may_run)
        if sequence is None:
            return False
        while not (found := self._fits(sequence))[0]:
            lower = [
                one for one in self.running if aged_class(one, now) > aged_class(sequence, now)
            ]
            if not lower:
                return False
            self._preempt_worst(lower, plan, now)
        blocks = found[1]
        self.pool.hold(blocks)
        reused = len(blocks) * self.pool.block_size
        cost = HIT_WEIGHT * reused + MISS_WEIGHT * (len(sequence.ids) - reused)
        # A second admission after a preemption is not the tenant's doing.
        self.queue.admit(sequence, 0 if sequence.was_admitted else cost)
        self.queue.tenant(sequence).blocks += len(blocks)
        sequence.blocks.extend(blocks)
        sequence.computed, sequence.published = reused, len(blocks)
        sequence.state, sequence.was_admitted = State.RUNNING, True
        self.running.append(sequence)
        return True

    def _fits(self, sequence: Sequence) -> tuple[bool, list[int]]:
        """Whether it can be admitted now, and the blocks of its prefix that are known."""
        # Never the last id: its logits are what the first step is for.
        reusable = (len(sequence.ids) - 1) // self.pool.block_size
        self._name_blocks(sequence, reusable)
        found = self.pool.find(sequence.names[:reusable])
        need = self.pool.blocks_for(len(sequence.ids)) - len(found)
        need += self.pool.idle_among(found)
        if self.running:
            need += self._watermark
        has_slot = len(self.running) < self.limits.sequences
        return has_slot and need <= self.pool.available, found

    def _may_run(self, sequence: Sequence) -> bool:
        if sequence.is_held_back:
            return False
        tenant = self.queue.tenant(sequence)
        most = self.limits.tenant_sequences
        if most is not None and tenant.running >= most:
            return False
        need = self.pool.blocks_for(len(sequence.ids))
        return tenant.running == 0 or not self._is_over_cap(tenant.blocks + need)

    def _is_over_cap(self, blocks: int) -> bool:
        most = self.limits.tenant_blocks
        return most is not None and blocks > most

    def _preempt_worst(self, among: Iterable[Sequence], plan: Plan, now: float) -> Sequence:
        """Stop the youngest of the lowest class; it starts over from what is still cached."""
        worst = max(among, key=lambda one: (aged_class(one, now), one.arrival))
        plan.drop(worst)
        self._stop(worst)
        worst.state = State.WAITING
        worst.preemptions += 1
        self.preemptions += 1
        self.queue.push(worst, first=True)
        self.queue.retire(worst)
        return worst

    def _stop(self, sequence: Sequence) -> None:
        self.running.remove(sequence)
        self.queue.tenant(sequence).blocks -= len(sequence.blocks)
        self.pool.release(sequence.blocks)
        del sequence.blocks[:]
        # A token in flight is dropped, and chosen again in the same way.
        sequence.computed = sequence.published = sequence.in_flight = 0

    def _name_blocks(self, sequence: Sequence, upto: int) -> None:
        names, size = sequence.names, self.pool.block_size
        parent = names[-1] if names else chain_root(sequence.request.salt)
        for n in range(len(names), upto):
            parent = chain_next(parent, sequence.ids[n * size : (n + 1) * size])
            names.append(parent)
