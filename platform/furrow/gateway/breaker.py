"""A circuit breaker: after repeated failures a server is left alone for a while, then tried once."""

import threading
import time
from collections.abc import Callable

from furrow.core.errors import UpstreamFailed


class CircuitBreaker:
    """Closed lets calls through. Open refuses them at once, so that a dead server costs nothing. After
    `rest_s` one call is let through as a trial (half open); its outcome closes or opens it again.
    """

    def __init__(
        self,
        *,
        failures: int = 5,
        rest_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._rest_s = rest_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened_at: float | None = None
        self._trial_until = 0.0

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    def before_call(self) -> None:
        """Raises `UpstreamFailed` while calls are refused."""
        with self._lock:
            if self._opened_at is None:
                return
            now = self._clock()
            if now - self._opened_at >= self._rest_s and now >= self._trial_until:
                # A trial whose caller died never reports; the next one may start after another rest.
                self._trial_until = now + self._rest_s
                return
        raise UpstreamFailed("The server is not answering at the moment.", code="circuit_open")

    def succeeded(self) -> None:
        with self._lock:
            self._failures, self._opened_at, self._trial_until = 0, None, 0.0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._opened_at is not None or self._failures >= self._limit:
                self._opened_at, self._trial_until = self._clock(), 0.0
