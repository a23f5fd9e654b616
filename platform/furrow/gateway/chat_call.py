"""One chat call: its money, its events, and what is known of its use while it runs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from furrow.core.errors import UpstreamFailed
from furrow.core.logs import get_logger
from furrow.gateway.chat_bounds import bounds_of, prompt_weight
from furrow.gateway.chat_events import EventReader
from furrow.gateway.chat_http import Event
from furrow.gateway.chat_types import ChatDelta, ChatRequest, ChatUsage, Status
from furrow.gateway.dialects import Body, Dialect
from furrow.gateway.metered import MeteredCall, call_close, call_open
from furrow.gateway.usage import Counted, Seen, TextWeight, usage_count, usage_estimate
from furrow.metering.attribution import Attribution
from furrow.metering.counts import Counts, UsageInvalid
from furrow.metering.holds import Bounds
from furrow.metering.receipt_pages import chat_source, has_receipts

log = get_logger(__name__)


@dataclass(frozen=True)
class Payer:
    """Who a call is for, taken when it is asked for: a stream may be read elsewhere."""

    tenant_id: UUID
    attribution: Attribution


class Exchange(Protocol):
    """What a call must know of how it is carried: see `ChatExchange`, and `AsyncChatExchange` for event loops."""

    may_have_run: bool
    is_done: bool


E = TypeVar("E", bound=Exchange)


@dataclass
class ChatCall(Generic[E]):
    """One call, its money and what is known of its use while it runs."""

    request: ChatRequest
    dialect: Dialect
    body: Body
    payer: Payer
    exchange: E
    paid: MeteredCall = field(init=False)
    _bounds: Bounds = field(init=False)
    _text: TextWeight = field(default_factory=TextWeight)
    _thoughts: TextWeight = field(default_factory=TextWeight)
    _said: Event = field(default_factory=dict)

    def hold(self) -> None:
        """Sets aside what the call costs at most and asks for no more than that buys."""
        self._bounds = bounds_of(self.body, self.request.max_tokens)
        self.paid = call_open(
            model=self.body["model"],
            kind="chat",
            bounds=self._bounds,
            source=chat_source(),
            request_id=self.request.request_id,
            tenant_id=self.payer.tenant_id,
            attribution=self.payer.attribution,
        )
        self.body[self.dialect.max_tokens_field] = self.paid.out_tokens

    def settle(self, status: Status) -> ChatUsage:
        """Pays for what was delivered: all of a whole answer, and of one cut short what its reader got."""
        ended = self.ended(status)
        if not self.exchange.may_have_run:
            self.paid.failed(is_doubtful=False)
        elif status == "complete":
            self.paid.delivered(ended.usage, basis=ended.basis)
        elif self._has_answered or (status == "aborted" and not has_receipts(self.paid.source)):
            self.paid.delivered(ended.usage, basis="estimated", status="aborted")
        elif status == "aborted":
            # Whether it was begun, its receipt will say.
            self.paid.failed(is_doubtful=True)
        else:
            self.paid.delivered(ended.usage, basis="estimated", status="failed")
        call_close(self.paid)
        return ended

    @property
    def _has_answered(self) -> bool:
        return bool(self._text.tokens or self._thoughts.tokens)

    def heard(self, event: Event | None, reader: EventReader) -> Iterator[ChatDelta]:
        """What an event brings, noted."""
        if event is None:
            yield ChatDelta()
            return
        self._note(event)
        yield from self._weighed(reader.delta(event))

    def rest(self, reader: EventReader) -> Iterator[ChatDelta]:
        """What is left when no event follows. Raises when the end is missing."""
        yield from self._weighed(reader.rest())
        if not (self.exchange.is_done or reader.finish_reason):
            raise UpstreamFailed("The model server broke off its answer.", code="chat_cut")

    def ended(self, status: Status) -> ChatUsage:
        counted = self._counted(status)
        return ChatUsage(
            request_id=self.request.request_id,
            model=self.body["model"],
            usage=counted.usage,
            basis=counted.basis,
            status=status,
            max_tokens=self.paid.out_tokens,
            is_shortened=self.paid.out_tokens < self._bounds.out_tokens,
        )

    def _counted(self, status: Status) -> Counted:
        if not self.exchange.may_have_run:
            return Counted(Counts(), "reported")
        seen = self._seen()
        if not self._said:
            return usage_estimate(seen)
        try:
            counted = usage_count(self.dialect.read_usage, self._said, seen)
        except UsageInvalid as error:
            log.warning("chat_usage_unusable", call_id=self.request.request_id, why=str(error))
            return usage_estimate(seen)
        # What was said before the end is less than what was done by then.
        return counted if status == "complete" else Counted(counted.usage, "estimated")

    def _note(self, event: Event) -> None:
        """Counts grow while an answer is written and may come in parts: the last of each is kept."""
        for name in ("usage", "timings"):
            if event.get(name) is not None:
                self._said[name] = event[name]

    def _weighed(self, delta: ChatDelta) -> Iterator[ChatDelta]:
        self._thoughts.add(delta.reasoning)
        self._text.add(delta.text)
        for call in delta.tool_calls:
            self._text.add(call.name + call.arguments)
        if delta != ChatDelta():
            yield delta

    def _seen(self) -> Seen:
        return Seen(prompt_weight(self.body).tokens, self._text.tokens, self._thoughts.tokens)
