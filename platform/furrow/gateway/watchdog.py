"""Ends a read that takes too long, while another thread is blocked in it."""

import socket
import threading
import time
from types import TracebackType


class Watchdog:
    """Shuts a connection down when its deadline passes; the blocked read then ends at once.

    httpx has one time limit for every read of a body and a comment line starts it anew, so it can tell neither
    the first token from the next nor a server that only says that it lives.
    """

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.has_fired = False
        self._socket = connection
        self._deadline = deadline
        self._is_over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._watch, name="chat-watchdog", daemon=True)

    def move(self, deadline: float) -> None:
        """A new deadline, in `time.monotonic()` seconds."""
        with self._changed:
            is_earlier = deadline < self._deadline
            self._deadline = deadline
            if is_earlier:
                self._changed.notify()

    def __enter__(self) -> "Watchdog":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Under the lock: once this returns, the connection may carry another call and must not be shut down.
        with self._changed:
            self._is_over = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_over:
                left_s = self._deadline - time.monotonic()
                if left_s <= 0:
                    self.has_fired = True
                    self._shut_down()
                    return
                self._changed.wait(left_s)

    def _shut_down(self) -> None:
        try:
            # Not the TLS socket's own method: that drops its state under the thread that reads.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        except OSError:
            return  # closed already
