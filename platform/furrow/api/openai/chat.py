"""`POST /v1/chat/completions`: a raw model, or with `assistant:<id>` a whole assistant."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from furrow.api.openai.assistants import assistant_complete
from furrow.api.openai.auth import Caller
from furrow.api.openai.http import Request
from furrow.api.openai.models import PREFIX, chat_model_check
from furrow.api.openai.schemas import ChatIn, parsed
from furrow.api.openai.shapes import Answering, usage_object
from furrow.core.context import tenant_context
from furrow.gateway.chat_async import OpenChat
from furrow.gateway.chat_types import ChatDelta, ChatRequest, ChatUsage
from furrow.metering.attribution import attributed

SCOPE = "models:use"


async def chat_complete(request: Request, caller: Caller) -> None:
    asked = parsed(ChatIn, request.json())
    if asked.model.startswith(PREFIX):
        await assistant_complete(request, caller, asked)
        return
    chat_model_check(asked.model)
    with (
        tenant_context(caller.tenant_id),
        attributed(api_key_id=caller.key_id, channel="openai"),
    ):
        async with OpenChat(_chat_request(asked), before=lambda: _admit(caller)) as chat:
            answering = Answering.new(asked.model, wants_usage=asked.wants_usage)
            if asked.stream:
                await request.stream(_events(chat, answering))
            else:
                await request.answer(200, await _whole(chat, answering))


def _admit(caller: Caller) -> None:
    caller.check(SCOPE)


def _chat_request(asked: ChatIn) -> ChatRequest:
    return ChatRequest(
        messages=[message.model_dump(exclude_none=True) for message in asked.messages],
        max_tokens=asked.most_tokens,
        options=asked.options(),
    )


async def _events(chat: OpenChat, answering: Answering) -> AsyncGenerator[Any, None]:
    """The first delta carries the role; with `include_usage` the counts come last, beside no choice."""
    is_first = True
    async with aclosing(chat.deltas()) as deltas:
        async for delta in deltas:
            if delta == ChatDelta():
                # Before the first word the status is still open, so nothing may be sent.
                if not is_first:
                    yield None
                continue
            if is_first:
                yield answering.chunk({"role": "assistant", "content": ""})
                is_first = False
            yield answering.delta_chunk(delta)
    if answering.wants_usage:
        yield answering.usage_chunk(_usage(chat.usage()))


async def _whole(chat: OpenChat, answering: Answering) -> dict[str, Any]:
    async with aclosing(chat.deltas()) as deltas:
        async for delta in deltas:
            answering.hear(delta)
    return answering.completion(_usage(chat.usage()))


def _usage(ended: ChatUsage) -> dict[str, Any]:
    used = ended.usage
    return usage_object(
        in_hit=used.in_hit, in_miss=used.in_miss, out=used.out, reasoning=used.reasoning
    )
