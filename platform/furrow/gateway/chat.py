"""Chat with the configured model: the web side's only way to call one."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from uuid import UUID

from django.conf import settings

from furrow.core.context import current_tenant_id
from furrow.core.errors import UpstreamFailed
from furrow.core.logs import get_logger
from furrow.gateway.chat_call import ChatCall, E, Payer
from furrow.gateway.chat_events import EventReader
from furrow.gateway.chat_http import ChatExchange, Patience
from furrow.gateway.chat_types import (
    ChatAnswer,
    ChatDelta,
    ChatRequest,
    ChatUsage,
    Status,
    ToolCallPart,
)
from furrow.gateway.connections import connection_to
from furrow.gateway.dialects import DIALECTS, body_build, headers_build
from furrow.metering.attribution import current_attribution
from furrow.metering.model_rules import models_allowed
from furrow.metering.selectors import priced_models

log = get_logger(__name__)

NEXT_TOKEN_TIMEOUT_S = 25.0
_TRIES = {"interactive": 3, "standard": 4, "batch": 6}


def chat_is_configured() -> bool:
    return bool(settings.CHAT_URL and settings.CHAT_MODEL)


def chat_models() -> list[str]:
    """What this business may write with: the server's own model first, then those the operator priced by name,
    without those the operator withholds from it. Inside `tenant_tx`; empty without a chat model.
    """
    return models_allowed(chat_models_known())


def chat_models_known() -> list[str]:
    """The same whoever asks."""
    if not chat_is_configured():
        return []
    return list(dict.fromkeys([settings.CHAT_MODEL, *priced_models()]))


def model_in_vain(model: str) -> str:
    """The name of a chosen model ("" is the server's own) that this business may not use; empty when it may, or
    when there is no chat model at all. Inside `tenant_tx`.
    """
    chosen = model or settings.CHAT_MODEL
    return chosen if chat_is_configured() and chosen not in chat_models() else ""


def chat_stream(request: ChatRequest) -> Generator[ChatDelta | ChatUsage, None, None]:
    """The answer as it is written, and at its end one `ChatUsage`. Runs as the current tenant.

    Closing the generator stops the model. Raises `LimitReached` and `UpstreamFailed`, also between deltas.
    """
    return _relay(call_prepare(request, current_tenant_id(), _exchange))


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


def _relay(call: ChatCall[ChatExchange]) -> Generator[ChatDelta | ChatUsage, None, None]:
    """The one place where a call begins and ends, whichever way it ends: its hold is committed before a model is
    asked, and what it used is settled before anybody hears of its end.
    """
    call.hold()
    status: Status = "failed"
    try:
        yield from _deltas(call)
        status = "complete"
    except GeneratorExit:
        status = "aborted"
        raise
    finally:
        ended = call.settle(status)
        log_ended(ended)
    yield ended


def log_ended(ended: ChatUsage) -> None:
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


def call_prepare(
    request: ChatRequest, tenant_id: UUID, exchange: Callable[[Patience], E]
) -> ChatCall[E]:
    """A call ready to be held, carried by the exchange that is made for it."""
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
    body = body_build(dialect, request, model=model, tenant_id=tenant_id)
    payer = Payer(tenant_id, current_attribution())
    return ChatCall(request, dialect, body, payer, exchange(patience))


def _exchange(patience: Patience) -> ChatExchange:
    connection = connection_to(settings.CHAT_URL, settings.CHAT_API_KEY, use="chat")
    return ChatExchange(connection, patience)


def _deltas(call: ChatCall[ChatExchange]) -> Iterator[ChatDelta]:
    reader = EventReader(splits_thoughts=call.dialect.splits_thoughts)
    headers = headers_build(call.dialect, call.paid.next_attempt())
    with closing(call.exchange.events(call.body, headers)) as events:
        for event in events:
            yield from call.heard(event, reader)
    yield from call.rest(reader)
