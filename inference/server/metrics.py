"""Counters and gauges in Prometheus' text format, one registry per server."""

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

from inference.pooling.queue import Priority
from inference.server.receipts import Work

BATCH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
BUSY_WINDOW_S = 30
REQUEST_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class BusyShare:
    """How much of the last seconds the device computed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._ends: deque[tuple[float, float]] = deque()
        self._lock = threading.Lock()

    def note(self, busy_us: int) -> None:
        """A step ended just now."""
        now = self._clock()
        with self._lock:
            self._ends.append((now, busy_us / 1e6))
            self._forget(now)

    def share(self) -> float:
        now = self._clock()
        with self._lock:
            self._forget(now)
            busy = sum(seconds for _, seconds in self._ends)
        window = min(float(BUSY_WINDOW_S), now - self._started)
        return min(1.0, busy / window) if window > 0 else 0.0

    def _forget(self, now: float) -> None:
        while self._ends and self._ends[0][0] < now - BUSY_WINDOW_S:
            self._ends.popleft()


class Metrics:
    """Names start with furrow_inference_; labels never carry ids or contents."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        prefix = "furrow_inference"
        self._requests = Counter(
            f"{prefix}_requests", "HTTP requests", ["route", "status"], registry=self.registry
        )
        self._request_seconds = Histogram(
            f"{prefix}_request_seconds",
            "Time from the first byte of a request to the end of its answer",
            ["route"],
            buckets=REQUEST_SECONDS,
            registry=self.registry,
        )
        self._jobs = Counter(
            f"{prefix}_jobs",
            "Requests that were given work, as in the receipts",
            ["kind", "finish_reason"],
            registry=self.registry,
        )
        self._tokens = Counter(
            f"{prefix}_tokens", "Tokens, as in the receipts", ["kind"], registry=self.registry
        )
        self._busy_us = Counter(
            f"{prefix}_busy_microseconds",
            "Time the model computed, as in the receipts",
            registry=self.registry,
        )
        self._batch_seconds = Histogram(
            f"{prefix}_batch_seconds",
            "Time of one batch",
            buckets=BATCH_SECONDS,
            registry=self.registry,
        )
        self._batch_inputs = Histogram(
            f"{prefix}_batch_inputs",
            "Inputs in one batch",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        self._queued = Gauge(
            f"{prefix}_queued_inputs",
            "Inputs that wait for a pooled model",
            ["kind", "priority"],
            registry=self.registry,
        )
        self._first_token_seconds = Histogram(
            f"{prefix}_first_token_seconds",
            "Time from a request's arrival to its first token",
            buckets=REQUEST_SECONDS,
            registry=self.registry,
        )
        self._busy = BusyShare()
        Gauge(
            f"{prefix}_busy_share",
            f"Share of the last {BUSY_WINDOW_S} seconds in which the device computed",
            registry=self.registry,
        ).set_function(self._busy.share)
        self._ready = Gauge(f"{prefix}_ready", "1 when requests are served", registry=self.registry)

    def watch_ready(self, is_ready: Callable[[], bool]) -> None:
        self._ready.set_function(lambda: float(is_ready()))

    def watch_queue(self, kind: str, depth: Callable[[Priority], int]) -> None:
        """Read a pooled model's queue depth when scraped."""
        for priority in Priority:
            self._queued.labels(kind, priority.value).set_function(partial(depth, priority))

    def watch(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when scraped."""
        gauge = Gauge(f"furrow_inference_{name}", help_text, registry=self.registry)
        gauge.set_function(read)

    def request_seen(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def first_token_seen(self, seconds: float) -> None:
        self._first_token_seconds.observe(seconds)

    def batch_seen(self, inputs: int, busy_us: int) -> None:
        """A pooled batch or a step of the chat model, where `inputs` are sequences."""
        self._busy.note(busy_us)
        self._batch_seconds.observe(busy_us / 1_000_000)
        self._batch_inputs.observe(inputs)

    def work_seen(self, work: Work) -> None:
        usage = work.usage
        self._jobs.labels(work.kind, work.finish_reason).inc()
        self._tokens.labels("in_hit").inc(usage.in_hit)
        self._tokens.labels("in_miss").inc(usage.in_miss)
        self._tokens.labels("out").inc(usage.out)
        self._tokens.labels("reasoning").inc(usage.reasoning)
        self._busy_us.inc(work.busy_us)

    def text(self) -> bytes:
        return generate_latest(self.registry)
