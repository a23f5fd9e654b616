"""Chat with the configured model: the web side's only way to call one."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from furrow.core.context import current_tenant_id
from furrow.core.errors import UpstreamFailed
from furrow.core.logs import get_logger
from furrow.gateway.chat_events import EventReader
from furrow.gateway.chat_http import ChatExchange, Event, Patience
from furrow.gateway.chat_types import (
    ChatAnswer,
    ChatDelta,
    ChatRequest,
    ChatUsage,
    Status,
    ToolCallPart,
)
from furrow.gateway.connections import connection_to
from furrow.gateway.dialects import DIALECTS, Body, Dialect, body_build, headers_build
from furrow.gateway.usage import (
    Counted,
    Seen,
    TextWeight,
    Usage,
    UsageInvalid,
    usage_count,
    usage_estimate,
)

log = get_logger(__name__)

NEXT_TOKEN_TIMEOUT_S = 25.0
_TRIES = {"interactive": 3, "standard": 4, "batch": 6}


def chat_is_configured() -> bool:
    return bool(settings.CHAT_URL and settings.CHAT_MODEL)


def chat_stream(request: ChatRequest) -> Generator[ChatDelta | ChatUsage, None, None]:
    """The answer as it is written, and at its end one `ChatUsage`. Runs as the current tenant.

    Closing the generator stops the model. Raises `LimitReached` and `UpstreamFailed`, also between deltas.
    """
    return _relay(_call(request, current_tenant_id()))


def chat(request: ChatRequest) -> ChatAnswer:
    """The whole answer; the same call as `chat_stream`, gathered."""
    text, reasoning = [], []
    calls: dict[int, ToolCallPart] = {}
    finish_reason = None
    usage: ChatUsage | None = None
    for part in chat_stream(request):
        if isinstance(part, ChatUsage):
            usage = part
            continue
        text.append(part.text)
        reasoning.append(part.reasoning)
        for call in part.tool_calls:
            calls[call.index] = _joined(calls.get(call.index), call)
        finish_reason = part.finish_reason or finish_reason
    if usage is None:
        raise RuntimeError("chat_stream ended without its usage")
    return ChatAnswer(
        text="".join(text),
        reasoning="".join(reasoning),
        tool_calls=tuple(calls[index] for index in sorted(calls)),
        finish_reason=finish_reason or "other",
        usage=usage,
    )


def _joined(known: ToolCallPart | None, part: ToolCallPart) -> ToolCallPart:
    if known is None:
        return part
    return ToolCallPart(
        part.index, known.id or part.id, known.name or part.name, known.arguments + part.arguments
    )


def _relay(call: "_Call") -> Generator[ChatDelta | ChatUsage, None, None]:
    """The one place where a call begins and ends, whichever way it ends: whatever must be committed before a
    model is asked stands before `try`, and what a call used is known, and final for us, in `finally`.
    """
    status: Status = "failed"
    try:
        yield from call.deltas()
        status = "complete"
    except GeneratorExit:
        status = "aborted"
        raise
    finally:
        ended = call.ended(status)
        _log_ended(ended)
    yield ended


def _log_ended(ended: ChatUsage) -> None:
    log.info(
        "chat_call",
        call_id=ended.request_id,
        model=ended.model,
        status=ended.status,
        basis=ended.basis,
        in_hit=ended.usage.in_hit,
        in_miss=ended.usage.in_miss,
        out=ended.usage.out,
        reasoning=ended.usage.reasoning,
    )


def _call(request: ChatRequest, tenant_id: UUID) -> "_Call":
    if not chat_is_configured():
        raise UpstreamFailed("No chat model is set up.", code="chat_not_configured", permanent=True)
    dialect = DIALECTS[settings.CHAT_DIALECT]
    model = request.model or settings.CHAT_MODEL
    patience = Patience(
        first_token_s=settings.CHAT_FIRST_TOKEN_TIMEOUT_S,
        total_s=settings.CHAT_TOTAL_TIMEOUT_S,
        next_token_s=min(NEXT_TOKEN_TIMEOUT_S, settings.CHAT_FIRST_TOKEN_TIMEOUT_S),
        silence_s=dialect.silence_s,
        tries=_TRIES[request.priority],
    )
    connection = connection_to(settings.CHAT_URL, settings.CHAT_API_KEY, use="chat")
    body = body_build(dialect, request, model=model, tenant_id=tenant_id)
    return _Call(request, dialect, model, body, ChatExchange(connection, patience))


@dataclass
class _Call:
    """One call and what is known of its use while it runs."""

    request: ChatRequest
    dialect: Dialect
    model: str
    body: Body
    exchange: ChatExchange
    _text: TextWeight = field(default_factory=TextWeight)
    _thoughts: TextWeight = field(default_factory=TextWeight)
    _said: Event = field(default_factory=dict)

    def deltas(self) -> Iterator[ChatDelta]:
        reader = EventReader(splits_thoughts=self.dialect.splits_thoughts)
        headers = headers_build(self.dialect, self.request)
        with closing(self.exchange.events(self.body, headers)) as events:
            for event in events:
                yield from self.heard(event, reader)
        yield from self.rest(reader)

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
            model=self.model,
            usage=counted.usage,
            basis=counted.basis,
            status=status,
        )

    def _counted(self, status: Status) -> Counted:
        if not self.exchange.may_have_run:
            return Counted(Usage(), "reported")
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
        prompt = TextWeight()
        for message in self.body["messages"]:
            # A template puts a role and an end around each message.
            prompt.add("=" * 16 + str(message.get("content") or ""))
            prompt.add(str(message.get("tool_calls") or ""))
        prompt.add(str(self.body.get("tools") or ""))
        return Seen(prompt.tokens, self._text.tokens, self._thoughts.tokens)
