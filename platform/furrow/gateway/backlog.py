"""How far settling may lag behind answering. New calls wait then; nobody is sent away because of it.

An answer leaves before it is settled, so callers that never rest can ask faster than money is booked.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# Some 0.2 s of work of the threads that settle; admission goes on when half of it is done.
MOST, FEW = 64, 32


class Backlog:
    """Calls of one process that were answered and are not settled yet."""

    def __init__(self, most: int = MOST, few: int = FEW) -> None:
        self.most, self.few = most, few
        self.behind = 0
        self._waiting: set[asyncio.Future[None]] = set()
        self._is_closed = False

    async def room(self) -> None:
        """Returns when a new call may begin."""
        while self._is_closed:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.add(turn)
            try:
                await turn
            finally:
                self._waiting.discard(turn)

    @asynccontextmanager
    async def settling(self) -> AsyncIterator[None]:
        self.behind += 1
        self._is_closed = self._is_closed or self.behind >= self.most
        try:
            yield
        finally:
            self.behind -= 1
            if self._is_closed and self.behind <= self.few:
                self._open()

    def _open(self) -> None:
        self._is_closed = False
        for turn in self._waiting:
            if not turn.done():
                turn.set_result(None)


backlog = Backlog()
