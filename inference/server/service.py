"""The state of one server: loading, ready, draining or failed, and what it is made of."""

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from inference.config import ServeConfig
from inference.pooling.batching import BatchCaps
from inference.pooling.folder import ModelFolder, ModelRefused, model_name_for
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

log = logging.getLogger(__name__)

LOADING_RETRY_S = 5
DRAINING_RETRY_S = 10
MAX_RETRY_S = 60
# Used for Retry-After until the first batches have been timed.
ASSUMED_TOKENS_PER_S = 1000.0


class State(StrEnum):
    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"
    FAILED = "failed"


class LoadedEncoder(VectorSource, Protocol):
    @property
    def folder(self) -> ModelFolder: ...

    @property
    def tokenizer(self) -> TextTokenizer: ...


class EmbeddingService:
    """Owns the worker thread. `load` runs on it: torch's thread count belongs to a thread."""

    def __init__(
        self, config: ServeConfig, receipts: ReceiptLog, load: Callable[[], LoadedEncoder]
    ) -> None:
        self.config = config
        self.receipts = receipts
        self.metrics = Metrics()
        self.model_name = config.served_name or model_name_for(config.embedding_model)
        self.created = int(time.time())
        self.state = State.LOADING
        self.failure: str | None = None
        self.queue = EmbeddingQueue(
            caps=BatchCaps(config.limits.max_batch, config.limits.batch_tokens(config.device)),
            max_waiting=config.limits.max_queue,
            observer=self,
        )
        self.metrics.watch(self.queue.depth, lambda: self.is_ready)
        self._load = load
        self._encoder: LoadedEncoder | None = None
        self._recent: deque[tuple[int, int]] = deque(maxlen=50)
        self._worker = threading.Thread(target=self._work, name="embedding-worker", daemon=True)

    @property
    def is_ready(self) -> bool:
        return self.state is State.READY and self.receipts.is_writable()

    @property
    def encoder(self) -> LoadedEncoder:
        """The loaded encoder; raises Unavailable while there is none to use."""
        if self._encoder is None or self.state is not State.READY:
            retry_s = DRAINING_RETRY_S if self.state is State.DRAINING else LOADING_RETRY_S
            raise Unavailable(
                f"The server is {self.state}.", code=str(self.state), retry_after_s=retry_s
            )
        return self._encoder

    def start(self) -> None:
        self._worker.start()

    def drain(self) -> None:
        """Refuse new work from now on; what was accepted still runs."""
        if self.state is not State.FAILED:
            self.state = State.DRAINING
        self.queue.close()

    def stop(self, timeout_s: float) -> None:
        """Drain and wait for the worker."""
        self.drain()
        if self._worker.is_alive():
            self._worker.join(timeout_s)

    async def embed(self, request_id: str, inputs: list[TokenIds], priority: Priority) -> Job:
        """Run a request's inputs; when the caller is cancelled so is the work not yet done."""
        if not self.receipts.is_writable():
            raise Unavailable(
                "The server cannot write receipts.",
                code="receipts_unwritable",
                retry_after_s=MAX_RETRY_S,
            )
        try:
            job = self.queue.submit(request_id, inputs, priority)
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
        usage = job_usage(job)
        assert job.finished_at is not None  # noqa: S101 - set by the queue before this call
        self.receipts.append(
            Work(
                request_id=job.request_id,
                kind="embedding",
                usage=usage,
                busy_us=job.busy_us,
                finish_reason=str(job.finish_reason),
                started_at=job.started_at,
                finished_at=job.finished_at,
            )
        )
        self.metrics.job_seen(job, usage)

    def batch_finished(self, inputs: int, tokens: int, busy_us: int) -> None:
        self._recent.append((tokens, busy_us))
        self.metrics.batch_seen(inputs, busy_us)

    def _work(self) -> None:
        started = time.monotonic()
        try:
            encoder = self._load()
        except ModelRefused as error:
            self._fail(str(error))
            return
        except Exception as error:
            # The worker's boundary: without this the server would wait for a model for ever.
            log.exception("loading failed")
            self._fail(f"The model could not be loaded: {error}")
            return
        self._encoder = encoder
        if self.state is State.LOADING:
            self.state = State.READY
        log.info(
            "model ready",
            extra={
                "model": self.model_name,
                "dimension": encoder.folder.dimensions[-1],
                "max_tokens": encoder.folder.max_length,
                "seconds": round(time.monotonic() - started, 2),
            },
        )
        self.queue.run(encoder)

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self.state = State.FAILED

    def _wait_for(self, tokens: int) -> int:
        recent = list(self._recent)
        busy_us = sum(us for _, us in recent)
        rate = sum(n for n, _ in recent) * 1e6 / busy_us if busy_us else ASSUMED_TOKENS_PER_S
        return max(1, min(MAX_RETRY_S, math.ceil(tokens / rate)))


def job_usage(job: Job) -> Usage:
    """Usage of an embedding job, finished or cut short."""
    return usage_build(computed=job.tokens_done)
