"""The step loop: take commands, plan, launch, read back, account, deliver. One thread calls `turn`.

Where the device works by itself, a step is launched before the one before it is read back: its
tokens go from step to step on the device. What such a step computed for a sequence that turns
out to be over, or had to give way, is dropped.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from inference.engine.grammar import GrammarRefused, GrammarUnavailable
from inference.engine.output import Vocabulary, sequence_equip, tokens_take
from inference.engine.request import Counts, Delta, FinishReason, Request, Sampled, State
from inference.engine.scheduler import Scheduler, Slice
from inference.engine.speculative import NgramIndex, accepted_count
from inference.pooling.batching import share_out

log = logging.getLogger(__name__)


class EngineClosed(Exception):
    """The engine is stopping and takes no more requests."""


class EngineObserver(Protocol):
    """Called from the thread that calls `turn`."""

    def request_started(self, request: Request) -> None: ...

    def request_finished(self, request: Request) -> None:
        """Before the last delta is delivered: what a client saw is always accounted for."""
        ...

    def step_finished(self, tokens: int, busy_us: int) -> None: ...

    def deliver(self, deltas: Many[tuple[Request, Delta]]) -> None: ...


class StepFlight(Protocol):
    def result(self) -> list[Sampled]:
        """What the step gave, once it is done."""
        ...


class StepRunner(Protocol):
    """`overlaps` says that a step goes on by itself once launched."""

    overlaps: bool

    def launch(self, slices: Many[Slice]) -> StepFlight: ...


@dataclass(frozen=True, slots=True)
class Step:
    """A plan whose step was launched; None where that failed."""

    plan: list[Slice]
    flight: StepFlight | None
    started_ns: int

    @property
    def may_be_built_on(self) -> bool:
        """Whether another step can be planned before this one is read back."""
        drawing = (part.sequence for part in self.plan if part.samples)
        return self.flight is not None and all(sequence.can_fly for sequence in drawing)


class Engine:
    """`submit`, `abort`, `close` and `stop` may be called from any thread."""

    def __init__(
        self,
        runner: StepRunner,
        scheduler: Scheduler,
        vocabulary: Vocabulary,
        observer: EngineObserver,
        *,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scheduler = scheduler
        self.counts = Counts()
        self._runner = runner
        self._vocabulary = vocabulary
        self._observer = observer
        self._wake = wake
        self._clock = clock
        self._lock = threading.Lock()
        self._commands: deque[tuple[Callable[[Request], None], Request]] = deque()
        self._open: set[Request] = set()
        self._is_closed = self._is_stopping = False
        self._deltas: list[tuple[Request, Delta]] = []
        self._step: Step | None = None
        self._landed_ns = 0

    @property
    def is_idle(self) -> bool:
        return not (self._commands or self._open)

    def submit(self, request: Request) -> None:
        """Queue a request; its deltas and its end come through the observer."""
        with self._lock:
            if self._is_closed:
                raise EngineClosed
            self._commands.append((self._begin, request))
        self._wake()

    def abort(self, request: Request) -> None:
        """Stop a request before the next step; what has been computed stays counted."""
        with self._lock:
            self._commands.append((self._cancel, request))
        self._wake()

    def close(self) -> None:
        """Take no more requests; those taken still run."""
        with self._lock:
            self._is_closed = True
        self._wake()

    def stop(self) -> None:
        """Take no more requests and abort the others at the next turn."""
        self._is_stopping = True
        self.close()

    def turn(self) -> bool:
        """One step; false when there was nothing to do."""
        self._take_commands()
        before, self._step = self._step, None
        is_busy = before is not None
        if before is not None and not before.may_be_built_on:
            self._land(before)
            before = None
        plan = self.scheduler.plan(self._clock())
        step = self._launch(plan) if plan else None
        if before is not None:
            self._land(before)
        if step is not None and self._runner.overlaps:
            self._step = step
        elif step is not None:
            self._land(step)
        if self._deltas:
            deltas, self._deltas = self._deltas, []
            self._observer.deliver(deltas)
        return is_busy or bool(plan)

    def _take_commands(self) -> None:
        while True:
            with self._lock:
                if not self._commands:
                    break
                act, request = self._commands[0]
            act(request)
            # Only now, so that the engine is never idle in between.
            self._commands.popleft()
        if self._is_stopping:
            for request in list(self._open):
                self._cancel(request)

    def _begin(self, request: Request) -> None:
        self._open.add(request)
        try:
            for sequence in request.sequences:
                sequence_equip(sequence, self._vocabulary)
                if request.grammar is None and self.scheduler.limits.guesses:
                    sequence.ngrams = NgramIndex()
        except (GrammarRefused, GrammarUnavailable) as error:
            for sequence in request.sequences:
                sequence.state = State.FINISHED
                sequence.finish_reason = FinishReason.ERROR
                self._deltas.append(
                    (request, Delta(sequence.index, finish_reason=FinishReason.ERROR))
                )
            request.failure = str(error)
            self._complete(request)
            return
        now = self._clock()
        for sequence in request.sequences:
            self.scheduler.add(sequence, now)

    def _cancel(self, request: Request) -> None:
        if request in self._open:
            self._end_all(request, FinishReason.CANCELLED)

    def _end_all(self, request: Request, reason: FinishReason) -> None:
        for sequence in request.sequences:
            if sequence.state is not State.FINISHED:
                self.scheduler.finish(sequence, reason)
                self._deltas.append((request, Delta(sequence.index, finish_reason=reason)))
        self._complete(request)

    def _complete(self, request: Request) -> None:
        request.finished_at = datetime.now(UTC)
        self._open.remove(request)
        self._observer.request_finished(request)

    def _launch(self, plan: list[Slice]) -> Step:
        for part in plan:
            request = part.sequence.request
            if request.started_at is None:
                request.started_at = datetime.now(UTC)
                self._observer.request_started(request)
        started_ns, flight = time.perf_counter_ns(), None
        try:
            flight = self._runner.launch(plan)
        except Exception:
            # The engine's boundary: a broken step fails its own requests, never the thread.
            log.exception("step failed", extra={"sequences": len(plan)})
        for part in plan:
            self.scheduler.launched(part)
        return Step(plan, flight, started_ns)

    def _land(self, step: Step) -> None:
        """Read a step back and account for it."""
        results: list[Sampled] | None = None
        try:
            results = step.flight.result() if step.flight is not None else None
        except Exception:
            # The same boundary: a GPU tells of a broken step only here.
            log.exception("step failed", extra={"sequences": len(step.plan)})
        now = time.perf_counter_ns()
        # The device began with it when it was done with the step before.
        busy_us = (now - max(step.started_ns, self._landed_ns)) // 1000
        self._landed_ns = now
        # Not those that ended, or had to give way, while the step was in flight.
        plan = [part for part in step.plan if part.sequence.request in self._open]
        self._share(plan, busy_us)
        if results is None:
            for request in {part.sequence.request: None for part in plan}:
                request.failure = "The model failed on this request."
                self._end_all(request, FinishReason.ERROR)
            return
        for part, sampled in zip(step.plan, results, strict=True):
            if part.sequence.state is State.RUNNING:
                self._count_prompt(part)
                self._apply(part, sampled)

    def _share(self, plan: list[Slice], busy_us: int) -> None:
        tokens = [part.tokens for part in plan]
        if tokens:
            for part, share in zip(plan, share_out(busy_us, tokens), strict=True):
                part.sequence.request.counts.busy_us += share
            self.counts.busy_us += busy_us
        self._observer.step_finished(sum(tokens), busy_us)

    def _count_prompt(self, part: Slice) -> None:
        """Count each prompt token once, as a hit where its cache entry was found.

        `counted` keeps what a preemption makes the model compute again from counting again.
        """
        sequence = part.sequence
        if sequence.leader is not None or sequence.counted == sequence.prompt_len:
            return
        upto = min(part.end, sequence.prompt_len)
        hits = max(0, min(part.start, sequence.prompt_len) - sequence.counted)
        misses = max(0, upto - sequence.counted - hits)
        sequence.counted += hits + misses
        self._count(sequence.request, Counts(in_hit=hits, in_miss=misses))

    def _count(self, request: Request, work: Counts) -> None:
        request.counts.add(work)
        self.counts.add(work)

    def _apply(self, part: Slice, sampled: Sampled) -> None:
        sequence = part.sequence
        if not part.samples:
            self.scheduler.advance(part, 0)
            return
        request = sequence.request
        if request.first_token_at is None:
            request.first_token_at = datetime.now(UTC)
        accepted = accepted_count(part.guesses, sampled.tokens)
        if sequence.ngrams is not None:
            sequence.ngrams.learn(len(part.guesses), accepted)
        delta, work = tokens_take(sequence, sampled, accepted + 1, self._vocabulary.eos)
        self._count(request, work)
        kept, reason = len(delta.token_ids), delta.finish_reason
        self.scheduler.advance(part, kept - 1)
        self.scheduler.sampled(sequence, kept)
        self._deltas.append((request, delta))
        if reason is FinishReason.ERROR:
            self.scheduler.finish(sequence, reason)
            self._end_all(request, reason)
        elif reason is not None:
            self.scheduler.finish(sequence, reason)
            if request.is_finished:
                self._complete(request)
