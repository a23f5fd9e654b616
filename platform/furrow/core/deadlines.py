"""An end to a whole conversation with another server. A timeout is for one read: a server that sends a byte now and then
never meets it, and would hold a worker for ever.
"""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType


class Deadline:
    """Shuts down the connections it holds when its time is over, whatever reads or writes them. Used by `with`."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._held: list[socket.socket] = []
        self._turn = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._turn:
            for each in self._held:
                each.close()
            self._held.clear()

    @property
    def left_s(self) -> float:
        return max(0.0, self._ends_at - time.monotonic())

    @property
    def is_over(self) -> bool:
        return self.left_s == 0

    def hold(self, connection: socket.socket) -> None:
        """By a second handle on the connection: encryption that begins later replaces the socket, not this."""
        with self._turn:
            self._held.append(connection.dup())
        if self.is_over:
            self._end()

    def _end(self) -> None:
        with self._turn:
            for each in self._held:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
