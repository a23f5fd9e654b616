import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from inference.pooling.batching import BatchCaps
from inference.pooling.queue import (
    BATCH_PATIENCE_S,
    BatchFailed,
    EmbeddingQueue,
    FinishReason,
    Job,
    JobCancelled,
    Priority,
    QueueClosed,
    QueueFull,
)


class Ledger:
    """Remembers what the queue reports."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.busy_us = 0

    def job_finished(self, job: Job) -> None:
        self.jobs.append(job)

    def batch_finished(self, inputs: int, tokens: int, busy_us: int) -> None:
        self.busy_us += busy_us


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(ledger: Ledger, clock: Clock) -> EmbeddingQueue:
    return EmbeddingQueue(caps=BatchCaps(2, 64), max_waiting=6, observer=ledger, clock=clock)


@pytest.fixture
def work(queue: EmbeddingQueue, encoder) -> Iterator[Callable[[], None]]:
    ends = threading.Event()

    def serve() -> None:
        while queue.turn(encoder) or not (ends.is_set() and queue.is_idle):
            ends.wait(0.001)

    thread = threading.Thread(target=serve)
    yield thread.start
    encoder.gate.set()
    queue.close()
    ends.set()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_rows_come_back_in_the_order_of_the_inputs(queue, encoder, work) -> None:
    inputs = [[2] * 9, [3], [4] * 8, [5, 5]]
    job = queue.submit("r", inputs, Priority.BATCH)
    work()
    rows = job.result.result(timeout=10)
    reference = [encoder.vectors([ids])[0] for ids in inputs]
    assert all(np.array_equal(a, b) for a, b in zip(rows, reference, strict=True))


def test_a_query_passes_a_waiting_backfill(queue, encoder, work) -> None:
    bulk = queue.submit("bulk", [[2], [3], [4], [5], [6], [7]], Priority.BATCH)
    query = queue.submit("query", [[9]], Priority.INTERACTIVE)
    work()
    query.result.result(timeout=10)
    bulk.result.result(timeout=10)
    assert encoder.batches[0] == [[9]]


def test_a_query_waits_for_no_more_than_the_running_batch(queue, encoder, work) -> None:
    encoder.gate.clear()
    queue.submit("bulk", [[2], [3], [4], [5], [6], [7]], Priority.BATCH)
    work()
    assert encoder.started.acquire(timeout=10)
    query = queue.submit("query", [[9]], Priority.INTERACTIVE)
    encoder.gate.set()
    query.result.result(timeout=10)
    assert encoder.batches[1] == [[9]]


def test_a_backfill_is_not_starved_by_queries(queue, clock, encoder, work) -> None:
    queue.submit("bulk", [[2]], Priority.BATCH)
    clock.now = BATCH_PATIENCE_S + 1
    query = queue.submit("query", [[9]], Priority.INTERACTIVE)
    work()
    query.result.result(timeout=10)
    assert encoder.batches[0] == [[2]]


def test_concurrent_requests_share_a_batch(queue, encoder, work) -> None:
    first = queue.submit("a", [[2]], Priority.INTERACTIVE)
    second = queue.submit("b", [[3]], Priority.INTERACTIVE)
    work()
    first.result.result(timeout=10)
    second.result.result(timeout=10)
    assert encoder.batches == [[[2], [3]]]


def test_a_full_queue_takes_no_part_of_a_request(queue) -> None:
    queue.submit("a", [[2], [3], [4], [5]], Priority.BATCH)
    with pytest.raises(QueueFull) as refusal:
        queue.submit("b", [[6, 6], [7], [8]], Priority.BATCH)
    assert refusal.value.waiting_tokens == 4
    assert queue.depth(Priority.BATCH) == 4


def test_a_full_backfill_leaves_room_for_queries(queue) -> None:
    queue.submit("a", [[2]] * 6, Priority.BATCH)
    queue.submit("b", [[3]], Priority.INTERACTIVE)
    assert queue.depth(Priority.INTERACTIVE) == 1


def test_a_closed_queue_finishes_what_it_took(queue, work) -> None:
    job = queue.submit("a", [[2]], Priority.BATCH)
    queue.close()
    with pytest.raises(QueueClosed):
        queue.submit("b", [[3]], Priority.BATCH)
    work()
    assert len(job.result.result(timeout=10)) == 1
    assert queue.is_idle


def test_a_cancelled_job_counts_only_what_ran(queue, ledger, encoder, work) -> None:
    encoder.gate.clear()
    job = queue.submit("a", [[2, 2], [3, 3], [4, 4], [5, 5]], Priority.BATCH)
    work()
    assert encoder.started.acquire(timeout=10)
    queue.cancel(job)
    encoder.gate.set()
    with pytest.raises(JobCancelled):
        job.result.result(timeout=10)
    assert ledger.jobs == [job]
    assert (job.finish_reason, job.tokens_done) == (FinishReason.CANCELLED, 4)
    assert len(encoder.batches) == 1


def test_a_job_cancelled_before_it_ran_used_nothing(queue, ledger) -> None:
    job = queue.submit("a", [[2]], Priority.BATCH)
    queue.cancel(job)
    queue.cancel(job)
    assert ledger.jobs == [job]
    assert (job.tokens_done, job.busy_us) == (0, 0)
    assert queue.is_idle
    assert queue.depth(Priority.BATCH) == 0


def test_a_failed_batch_ends_its_own_jobs_only(queue, ledger, encoder, work) -> None:
    encoder.fails_on = 66
    broken = queue.submit("a", [[66], [66], [2], [3]], Priority.BATCH)
    fine = queue.submit("b", [[9] * 20], Priority.BATCH)
    work()
    with pytest.raises(BatchFailed):
        broken.result.result(timeout=10)
    assert len(fine.result.result(timeout=10)) == 1
    assert [job.finish_reason for job in ledger.jobs] == [FinishReason.ERROR, FinishReason.STOP]


def test_busy_time_of_jobs_adds_up_to_that_of_batches(queue, ledger, work) -> None:
    jobs = [queue.submit(str(n), [[2] * n, [3]], Priority.BATCH) for n in (1, 5, 7)]
    work()
    for job in jobs:
        job.result.result(timeout=10)
    assert sum(job.busy_us for job in ledger.jobs) == ledger.busy_us
