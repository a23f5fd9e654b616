"""A pooled model in service, an embedder or a reranker: its queue, its receipts, its refusals."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

from inference.config import Limits
from inference.pooling.batching import BatchCaps
from inference.pooling.folder import ModelFolder
from inference.pooling.queue import (
    EmbeddingQueue,
    Job,
    Priority,
    QueueClosed,
    QueueFull,
    VectorSource,
)
from inference.pooling.tokens import TextTokenizer, TokenIds
from inference.server.errors import QueueIsFull, Unavailable
from inference.server.metrics import Metrics
from inference.server.receipts import ReceiptLog, Work
from inference.server.usage import Usage, usage_build

DRAINING_RETRY_S = 10
MAX_RETRY_S = 60
# Used for Retry-After until the first batches have been timed.
ASSUMED_TOKENS_PER_S = 1000.0


class LoadedEncoder(VectorSource, Protocol):
    @property
    def folder(self) -> ModelFolder: ...

    @property
    def tokenizer(self) -> TextTokenizer: ...


class PooledModel:
    """`kind` is what its receipts say; `encoder` is None until it is loaded."""

    def __init__(
        self,
        kind: str,
        name: str,
        *,
        limits: Limits,
        batch_tokens: int,
        receipts: ReceiptLog,
        metrics: Metrics,
        wake: Callable[[], None],
    ) -> None:
        self.kind = kind
        self.name = name
        self.encoder: LoadedEncoder | None = None
        self.queue = EmbeddingQueue(
            caps=BatchCaps(limits.max_batch, batch_tokens),
            max_waiting=limits.max_queue,
            observer=self,
            wake=wake,
        )
        self._receipts = receipts
        self._metrics = metrics
        self._recent: deque[tuple[int, int]] = deque(maxlen=50)
        metrics.watch_queue(kind, self.queue.depth)

    def turn(self) -> bool:
        """Run one batch; false when nothing waits."""
        return self.encoder is not None and self.queue.turn(self.encoder)

    async def run(
        self, request_id: str, inputs: list[TokenIds], priority: Priority, tenant: str
    ) -> Job:
        """Run a request's inputs; when the caller is cancelled so is the work not yet done."""
        try:
            job = self.queue.submit(request_id, inputs, priority, tenant=tenant)
        except QueueFull as error:
            raise QueueIsFull(
                f"Too many {priority} inputs are waiting.",
                retry_after_s=self._wait_for(error.waiting_tokens),
            ) from error
        except QueueClosed as error:
            raise Unavailable(
                "The server is draining.", code="draining", retry_after_s=DRAINING_RETRY_S
            ) from error
        try:
            await asyncio.wrap_future(job.result)
        except asyncio.CancelledError:
            self.queue.cancel(job)
            raise
        return job

    def job_finished(self, job: Job) -> None:
        assert job.finished_at is not None  # noqa: S101 - set by the queue before this call
        work = Work(
            request_id=job.request_id,
            kind=self.kind,
            usage=job_usage(job),
            busy_us=job.busy_us,
            finish_reason=str(job.finish_reason),
            started_at=job.started_at,
            finished_at=job.finished_at,
            tenant=job.tenant,
            model=self.name,
        )
        self._receipts.append(work)
        self._metrics.work_seen(work)

    def batch_finished(self, inputs: int, tokens: int, busy_us: int) -> None:
        self._recent.append((tokens, busy_us))
        self._metrics.batch_seen(inputs, busy_us)

    def _wait_for(self, tokens: int) -> int:
        return retry_after(tokens, list(self._recent))


def retry_after(tokens: int, recent: list[tuple[int, int]]) -> int:
    """Seconds until so many tokens are worked off, by (tokens, busy_us) of recent batches."""
    busy_us = sum(us for _, us in recent)
    rate = sum(n for n, _ in recent) * 1e6 / busy_us if busy_us else ASSUMED_TOKENS_PER_S
    return max(1, min(MAX_RETRY_S, math.ceil(tokens / max(rate, 1.0))))


def job_usage(job: Job) -> Usage:
    """Usage of a pooled job, finished or cut short."""
    return usage_build(computed=job.tokens_done)
