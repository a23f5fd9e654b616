"""Counters and gauges in Prometheus' text format, one registry per server."""

from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

from inference.pooling.queue import Job, Priority
from inference.server.usage import Usage

BATCH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
REQUEST_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


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
            f"{prefix}_queued_inputs", "Inputs that wait", ["priority"], registry=self.registry
        )
        self._ready = Gauge(f"{prefix}_ready", "1 when requests are served", registry=self.registry)

    def watch(self, depth: Callable[[Priority], int], is_ready: Callable[[], bool]) -> None:
        """Read queue depth and readiness when scraped."""
        for priority in Priority:
            self._queued.labels(priority.value).set_function(partial(depth, priority))
        self._ready.set_function(lambda: float(is_ready()))

    def request_seen(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def batch_seen(self, inputs: int, busy_us: int) -> None:
        self._batch_seconds.observe(busy_us / 1_000_000)
        self._batch_inputs.observe(inputs)

    def job_seen(self, job: Job, usage: Usage) -> None:
        self._jobs.labels("embedding", str(job.finish_reason)).inc()
        self._tokens.labels("in_hit").inc(usage.in_hit)
        self._tokens.labels("in_miss").inc(usage.in_miss)
        self._tokens.labels("out").inc(usage.out)
        self._tokens.labels("reasoning").inc(usage.reasoning)
        self._busy_us.inc(job.busy_us)

    def text(self) -> bytes:
        return generate_latest(self.registry)
