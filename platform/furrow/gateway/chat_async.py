"""`chat_stream` for event loops: a stream that nobody has news for costs no thread and no database connection."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any

from django.conf import settings

from furrow.core.context import current_tenant_id
from furrow.core.threads import in_thread
from furrow.gateway.chat import _call, _Call, _log_ended
from furrow.gateway.chat_async_http import AsyncChatExchange
from furrow.gateway.chat_events import EventReader
from furrow.gateway.chat_types import ChatDelta, ChatRequest, ChatUsage, Status
from furrow.gateway.connections import async_connection_to
from furrow.gateway.dialects import headers_build
from furrow.gateway.metered import MeteredCall, metered
from furrow.metering.counts import Counts
from furrow.metering.holds import Bounds


def _nothing() -> None:
    return None


class OpenChat:
    """One call, as a context manager: entering commits its hold, leaving settles it, whatever happened inside.
    `before` runs in the hold's thread and may refuse the call. Runs as the current tenant.
    """

    def __init__(self, request: ChatRequest, *, before: Callable[[], None] = _nothing) -> None:
        call: Any = _call(request, current_tenant_id())
        self._call: _Call = call
        connection = async_connection_to(settings.CHAT_URL, settings.CHAT_API_KEY, use="chat")
        self._exchange = AsyncChatExchange(connection, call.exchange._patience)
        call.exchange = self._exchange
        self._before = before
        self._metered = metered(model=self._call.model, kind="chat", bounds=Bounds(1000, 1000))
        self._hold: MeteredCall | None = None
        self._status: Status = "aborted"
        self.usage: ChatUsage | None = None

    async def __aenter__(self) -> "OpenChat":
        self._hold = await in_thread(self._open)
        return self

    def _open(self) -> MeteredCall:
        self._before()
        return self._metered.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await in_thread(self._settle)

    def _settle(self) -> None:
        hold, usage = self._hold, self.usage or self._call.ended(self._status)
        if hold is not None:
            counts = Counts(
                usage.usage.in_hit, usage.usage.in_miss, usage.usage.out, usage.usage.reasoning
            )
            if usage.basis == "reported":
                hold.delivered(counts, estimate=counts)
            else:
                hold.delivered(None, estimate=counts)
        self._metered.__exit__(None, None, None)
        _log_ended(usage)

    async def deltas(self) -> AsyncGenerator[ChatDelta, None]:
        """The answer as it is written; afterwards `usage` has what it cost."""
        call = self._call
        if self._hold:
            self._hold.next_attempt()
        reader = EventReader(splits_thoughts=call.dialect.splits_thoughts)
        headers = headers_build(call.dialect, call.request)
        self._status = "failed"
        try:
            async with aclosing(self._exchange.events(call.body, headers)) as events:
                async for event in events:
                    for delta in call.heard(event, reader):
                        yield delta
            for delta in call.rest(reader):
                yield delta
            self._status = "complete"
        except (GeneratorExit, asyncio.CancelledError):
            self._status = "aborted"
            raise
        self.usage = call.ended(self._status)
