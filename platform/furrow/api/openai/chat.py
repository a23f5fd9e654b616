"""`POST /v1/chat/completions`: a raw model, or with `assistant:<id>` a whole assistant."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from furrow.api.openai.assistants import assistant_complete
from furrow.api.openai.auth import Caller
from furrow.api.openai.errors import model_missing
from furrow.api.openai.http import Request
from furrow.api.openai.models import PREFIX, chat_model_check
from furrow.api.openai.once import Once, Replay
from furrow.api.openai.schemas import ChatIn, parsed
from furrow.api.openai.shapes import Answering, usage_object
from furrow.core.context import tenant_context
from furrow.gateway.chat import chat_is_configured
from furrow.gateway.chat_async import OpenChat
from furrow.gateway.chat_types import ChatDelta, ChatRequest, ChatUsage
from furrow.metering.attribution import attributed

SCOPE = "models:use"
NOTHING = ChatDelta()


async def chat_complete(request: Request, caller: Caller) -> None:
    asked = parsed(ChatIn, request.json())
    once = Once.of(request, caller)
    if asked.model.startswith(PREFIX):
        await assistant_complete(request, caller, asked, once)
        return
    if not chat_is_configured():
        raise model_missing(asked.model)
    with (
        tenant_context(caller.tenant_id),
        attributed(api_key_id=caller.key_id, channel="openai"),
    ):
        try:
            await _ask(request, asked, once)
        except Replay as replay:
            await _answer_again(request, asked, replay.answer)
        except BaseException:
            if not request.has_ended:
                await once.release()
            raise


async def _ask(request: Request, asked: ChatIn, once: Once) -> None:
    def admit() -> None:
        once.caller.check(SCOPE)
        chat_model_check(once.caller.tenant_id, asked.model)
        once.begin()

    # Leaving the block settles, after the answer has left: its reader need not wait for that.
    async with OpenChat(_chat_request(asked), before=admit) as chat:
        answering = Answering.new(asked.model, wants_usage=asked.wants_usage)
        if asked.stream:
            await request.stream(_events(chat, answering, once))
        else:
            whole = await _whole(chat, answering)
            await once.keep(whole)
            await request.answer(200, whole)


async def _answer_again(request: Request, asked: ChatIn, kept: dict[str, Any]) -> None:
    if asked.stream:
        await request.stream(_replayed(kept, wants_usage=asked.wants_usage))
    else:
        await request.answer(200, kept, {"x-replayed": "true"})


async def _replayed(kept: dict[str, Any], *, wants_usage: bool) -> AsyncGenerator[Any, None]:
    """A kept answer as a stream of few chunks."""
    answering = Answering(kept["id"], kept["model"], wants_usage, kept["created"])
    choice = kept["choices"][0]
    said = {name: part for name, part in choice["message"].items() if part is not None}
    for n, call in enumerate(said.get("tool_calls", [])):
        call["index"] = n
    yield answering.chunk(said)
    yield answering.chunk({}, finish=choice["finish_reason"])
    if wants_usage:
        yield answering.usage_chunk(kept["usage"])


def _chat_request(asked: ChatIn) -> ChatRequest:
    return ChatRequest(
        model=asked.model,
        messages=[message.model_dump(exclude_none=True) for message in asked.messages],
        max_tokens=asked.most_tokens,
        options=asked.options(),
    )


async def _events(chat: OpenChat, answering: Answering, once: Once) -> AsyncGenerator[Any, None]:
    """The first delta carries the role; with `include_usage` the counts come last, beside no choice."""
    is_first = True
    async with aclosing(chat.deltas()) as deltas:
        async for delta in deltas:
            if delta == NOTHING:
                # Before the first word the status is still open, so nothing may be sent.
                if not is_first:
                    yield None
                continue
            if is_first:
                yield answering.chunk({"role": "assistant", "content": ""})
                is_first = False
            if once.key:
                answering.hear(delta)
            yield answering.delta_chunk(delta)
    usage = _usage(chat.usage())
    if once.key:
        await once.keep(answering.completion(usage))
    if answering.wants_usage:
        yield answering.usage_chunk(usage)


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
