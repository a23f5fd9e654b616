"""The queue of one pooled model: two priorities, one worker thread, work counted as it is done.

A job is one request with one or more inputs. Jobs of both priorities wait apart; the worker
takes interactive inputs first, but lets one batch of the others through every few seconds.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference.pooling.batching import BatchCaps, batch_pick, share_out
from inference.pooling.tokens import TokenIds

log = logging.getLogger(__name__)

Vector = NDArray[np.float32]
# How many waiting inputs are looked at for near lengths.
WINDOW = 512
BATCH_PATIENCE_S = 2.0


class Priority(StrEnum):
    INTERACTIVE = "interactive"
    BATCH = "batch"


class FinishReason(StrEnum):
    STOP = "stop"
    CANCELLED = "cancelled"
    ERROR = "error"


class QueueFull(Exception):
    """The priority has no room for the request; `waiting_tokens` are ahead of it."""

    def __init__(self, waiting_tokens: int) -> None:
        super().__init__("The queue is full.")
        self.waiting_tokens = waiting_tokens


class QueueClosed(Exception):
    """The server is stopping and takes no more work."""


class BatchFailed(Exception):
    """The encoder failed on a batch that held inputs of this job."""


class JobCancelled(Exception):
    """The client went away before its vectors were ready."""


class VectorSource(Protocol):
    def vectors(self, batch: Sequence[TokenIds]) -> list[Vector]: ...


class QueueObserver(Protocol):
    """Called from the worker thread, or from the thread that cancels a job."""

    def job_finished(self, job: "Job") -> None: ...

    def batch_finished(self, inputs: int, tokens: int, busy_us: int) -> None: ...


@dataclass(slots=True, eq=False)
class Job:
    """One request. `tokens_done` and `busy_us` grow with the work, also if it is cut short."""

    request_id: str
    priority: Priority
    inputs: list[TokenIds]
    tenant: str = ""
    result: Future[list[Vector]] = field(default_factory=Future)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime | None = None
    finish_reason: FinishReason | None = None
    tokens_done: int = 0
    busy_us: int = 0
    rows: dict[int, Vector] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One input of a job, still to be run."""

    job: Job
    index: int
    ids: TokenIds


class EmbeddingQueue:
    """Bounded, thread-safe. A worker calls `turn`, and learns of new work through `wake`."""

    def __init__(
        self,
        *,
        caps: BatchCaps,
        max_waiting: int,
        observer: QueueObserver,
        clock: Callable[[], float] = time.monotonic,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._caps = caps
        self._max_waiting = max_waiting
        self._observer = observer
        self._clock = clock
        self._wake = wake
        self._lanes: dict[Priority, deque[Waiting]] = {p: deque() for p in Priority}
        self._lock = threading.Lock()
        self._is_closed = False
        self._jobs_open = 0
        self._batch_served_at = clock()

    def submit(
        self, request_id: str, inputs: list[TokenIds], priority: Priority, *, tenant: str = ""
    ) -> Job:
        """Queue every input of a request; raises QueueFull or QueueClosed and queues none."""
        job = Job(request_id=request_id, priority=priority, inputs=inputs, tenant=tenant)
        # From here on nobody but the queue decides how the future ends.
        job.result.set_running_or_notify_cancel()
        with self._lock:
            if self._is_closed:
                raise QueueClosed
            lane = self._lanes[priority]
            if len(lane) + len(inputs) > self._max_waiting:
                raise QueueFull(sum(len(waiting.ids) for waiting in lane))
            if priority is Priority.BATCH and not lane:
                self._batch_served_at = self._clock()
            lane.extend(Waiting(job, index, ids) for index, ids in enumerate(inputs))
            self._jobs_open += 1
        self._wake()
        return job

    def cancel(self, job: Job) -> None:
        """Drop what has not run; what has run, or is running, stays counted."""
        with self._lock:
            if job.finish_reason is not None:
                return
            job.finish_reason = FinishReason.CANCELLED
            lane = self._lanes[job.priority]
            kept = [waiting for waiting in lane if waiting.job is not job]
            is_running = len(lane) - len(kept) + len(job.rows) < len(job.inputs)
            lane.clear()
            lane.extend(kept)
        if not is_running:
            self._finish(job, JobCancelled())

    def depth(self, priority: Priority) -> int:
        """Inputs that wait, without those in the running batch."""
        return len(self._lanes[priority])

    @property
    def is_idle(self) -> bool:
        return self._jobs_open == 0

    def close(self) -> None:
        """Take no more work; what is queued still runs."""
        with self._lock:
            self._is_closed = True
        self._wake()

    def turn(self, encoder: VectorSource) -> bool:
        """Run one batch if any input waits; false when none did."""
        with self._lock:
            batch = self._pick() if any(self._lanes.values()) else []
        if batch:
            self._run_batch(encoder, batch)
        return bool(batch)

    def _pick(self) -> list[Waiting]:
        """Take the next batch; the lock is held and something waits."""
        priority = self._next_priority()
        lane = self._lanes[priority]
        window = list(islice(lane, WINDOW))
        picked = batch_pick([len(waiting.ids) for waiting in window], self._caps)
        chosen = set(picked)
        for _ in window:
            lane.popleft()
        lane.extendleft(reversed([waiting for n, waiting in enumerate(window) if n not in chosen]))
        if priority is Priority.BATCH:
            self._batch_served_at = self._clock()
        return [window[n] for n in picked]

    def _next_priority(self) -> Priority:
        if not self._lanes[Priority.INTERACTIVE]:
            return Priority.BATCH
        if not self._lanes[Priority.BATCH]:
            return Priority.INTERACTIVE
        is_overdue = self._clock() - self._batch_served_at > BATCH_PATIENCE_S
        return Priority.BATCH if is_overdue else Priority.INTERACTIVE

    def _run_batch(self, encoder: VectorSource, batch: list[Waiting]) -> None:
        started = time.perf_counter_ns()
        failure: Exception | None = None
        rows: list[Vector] = []
        try:
            rows = encoder.vectors([waiting.ids for waiting in batch])
        except Exception as error:
            # The worker's boundary: one bad batch fails its own jobs, never the thread.
            log.exception("batch failed", extra={"inputs": len(batch)})
            failure = error
        lengths = [len(waiting.ids) for waiting in batch]
        busy_us = (time.perf_counter_ns() - started) // 1000
        self._observer.batch_finished(len(batch), sum(lengths), busy_us)
        ended: dict[Job, Exception | None] = {}
        with self._lock:
            shares = share_out(busy_us, lengths)
            for n, waiting in enumerate(batch):
                job = waiting.job
                job.busy_us += shares[n]
                if failure is None:
                    job.tokens_done += len(waiting.ids)
                    job.rows[waiting.index] = rows[n]
                if self._has_ended(job, failure):
                    ended[job] = failure
        for job, cause in ended.items():
            self._finish(job, self._outcome(job, cause))

    def _has_ended(self, job: Job, failure: Exception | None) -> bool:
        if failure is not None:
            lane = self._lanes[job.priority]
            kept = [waiting for waiting in lane if waiting.job is not job]
            lane.clear()
            lane.extend(kept)
            job.finish_reason = job.finish_reason or FinishReason.ERROR
        elif job.finish_reason is None and len(job.rows) == len(job.inputs):
            job.finish_reason = FinishReason.STOP
        return job.finish_reason is not None

    @staticmethod
    def _outcome(job: Job, failure: Exception | None) -> Exception | None:
        if job.finish_reason is FinishReason.CANCELLED:
            return JobCancelled()
        return BatchFailed(str(failure)) if failure is not None else None

    def _finish(self, job: Job, error: Exception | None) -> None:
        job.finished_at = datetime.now(UTC)
        try:
            # The receipt comes before the answer: what a client saw is always accounted for.
            self._observer.job_finished(job)
        finally:
            with self._lock:
                self._jobs_open -= 1
            if error is None:
                job.result.set_result([job.rows[n] for n in range(len(job.inputs))])
            else:
                job.result.set_exception(error)
