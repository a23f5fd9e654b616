"""Who may wait for the chat model: bounds by requests, by tokens and by tenant."""

import threading
from collections import deque
from dataclasses import dataclass, field

from inference.config import ChatLimits
from inference.engine.request import Request
from inference.server.errors import Overloaded, QueueIsFull
from inference.server.pooled import retry_after


@dataclass(slots=True)
class Backlog:
    """Requests that were taken and have not started; thread-safe."""

    limits: ChatLimits
    tokens: int = 0
    _waiting: dict[Request, int] = field(default_factory=dict)
    _recent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=50))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def requests(self) -> int:
        return len(self._waiting)

    def enter(self, request: Request) -> None:
        """Raises QueueIsFull for the tenant's own bound and Overloaded for the machine's."""
        limits, tokens = self.limits, request.prompt_tokens
        with self._lock:
            own = sum(other.tenant == request.tenant for other in self._waiting)
            if own >= limits.max_waiting_tenant:
                raise QueueIsFull(
                    "Too many requests of this tenant are waiting.", retry_after_s=self._wait()
                )
            is_over = self.tokens + tokens > limits.max_waiting_tokens
            if len(self._waiting) >= limits.max_waiting or (is_over and self._waiting):
                raise Overloaded("Too many requests are waiting.", retry_after_s=self._wait())
            self._waiting[request] = tokens
            self.tokens += tokens

    def leave(self, request: Request) -> None:
        """The request has started, or ended without starting."""
        with self._lock:
            self.tokens -= self._waiting.pop(request, 0)

    def step_seen(self, tokens: int, busy_us: int) -> None:
        self._recent.append((tokens, busy_us))

    def _wait(self) -> int:
        return retry_after(self.tokens, list(self._recent))
