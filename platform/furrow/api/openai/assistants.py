"""A whole assistant as a model: its published ladder answers, with citations, through the same turns as
everywhere, so that the owner sees the conversation and the answer outlives a reader who leaves.
"""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from uuid import UUID

import orjson
from redis import RedisError

from furrow.api.openai.auth import Caller
from furrow.api.openai.errors import bad_request, model_missing
from furrow.api.openai.http import Request
from furrow.api.openai.models import PREFIX, assistant_id_of
from furrow.api.openai.once import Once
from furrow.api.openai.schemas import ChatIn, Message
from furrow.api.openai.shapes import Answering, usage_object
from furrow.assistants.selectors import assistant_get
from furrow.conversations import services, streams
from furrow.conversations.models import Conversation
from furrow.conversations.selectors import conversation_get
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError, NotFound, UpstreamFailed
from furrow.core.keys import tenant_key
from furrow.core.redis import sync_redis
from furrow.core.threads import in_thread
from furrow.tenants.idempotency import run_once

SCOPE = "conversations:write"
# How long a client that sends the whole history again is recognised by it.
REMEMBER_S = 24 * 3600


async def assistant_complete(request: Request, caller: Caller, asked: ChatIn, once: Once) -> None:
    """The last message is the question. Earlier ones are not taken from the caller, who could put words into
    the assistant's mouth: they only tell which conversation this is.
    """
    if asked.messages[-1].role != "user":
        raise bad_request("The last message must be the user's question.", param="messages")
    asking = await in_thread(_ask_once, caller, asked, once)
    answering = Answering.new(asked.model, wants_usage=asked.wants_usage)
    events = _Turn(caller.tenant_id, *asking, asked, answering)
    if asked.stream:
        await request.stream(events.chunks())
    else:
        await request.answer(200, await events.whole())


async def assistant_answer(
    caller: Caller, assistant_id: str, question: str, conversation_id: str | None
) -> dict[str, Any]:
    """One question and its whole answer, as a completion."""
    asked = ChatIn(
        model=f"{PREFIX}{assistant_id}",
        messages=[Message(role="user", content=question)],
        conversation_id=conversation_id,
    )
    asking = await in_thread(_ask_once, caller, asked, Once(caller, "", ""))
    turn = _Turn(caller.tenant_id, *asking, asked, Answering.new(asked.model))
    return await turn.whole()


def _ask_once(caller: Caller, asked: ChatIn, once: Once) -> tuple[UUID, UUID]:
    """A repeated key finds the turn it made, whose answer can be read again."""
    caller.check(SCOPE)
    if not once.key:
        with tenant_tx(caller.tenant_id):
            return _ask(caller, asked)
    _, kept = run_once(
        tenant_id=caller.tenant_id,
        caller=caller.name,
        key=once.key,
        digest=once.digest,
        action=lambda: (202, [str(row_id) for row_id in _ask(caller, asked)]),
    )
    return UUID(kept[0]), UUID(kept[1])


def _ask(caller: Caller, asked: ChatIn) -> tuple[UUID, UUID]:
    """The turn and its conversation: the one named, the one whose history this is, or a new one."""
    try:
        assistant = assistant_get(assistant_id_of(asked.model))
    except NotFound:
        raise model_missing(asked.model) from None
    conversation = _conversation(caller, asked, assistant.id)
    if conversation is None:
        conversation = services.conversation_create(
            assistant=assistant, channel=Conversation.Channel.API
        )
    turn = services.turn_create(conversation=conversation, text=asked.messages[-1].text)
    return turn.id, conversation.id


def _conversation(caller: Caller, asked: ChatIn, assistant_id: UUID) -> Conversation | None:
    if asked.conversation_id is None:
        known = _recalled(caller.tenant_id, asked)
        rows = Conversation.objects.filter(id=known, assistant_id=assistant_id)
        open_ones = rows.exclude(state=Conversation.State.CLOSED)
        return open_ones.first() if known else None
    try:
        row = conversation_get(UUID(asked.conversation_id))
    except ValueError:
        row = None
    if row is None or row.assistant_id != assistant_id:
        raise NotFound("This conversation does not exist.", param="conversation_id")
    return row


def _recalled(tenant_id: UUID, asked: ChatIn) -> UUID | None:
    if len(asked.messages) < 2:
        return None
    try:
        found: Any = sync_redis().get(_history_key(tenant_id, asked.model, asked.messages[:-1]))
    except RedisError:
        return None
    return UUID(found.decode()) if found else None


def _remember(tenant_id: UUID, asked: ChatIn, answer: str, conversation_id: UUID) -> None:
    """The next question of a client that keeps the history itself will begin with all this."""
    said = [*asked.messages, Message(role="assistant", content=answer)]
    key = _history_key(tenant_id, asked.model, said)
    try:
        sync_redis().set(key, str(conversation_id), ex=REMEMBER_S)
    except RedisError:
        return


def _history_key(tenant_id: UUID, model: str, messages: list[Message]) -> str:
    said = [(m.role, m.text) for m in messages if m.role in {"user", "assistant"}]
    digest = hashlib.sha256(orjson.dumps([model, said])).hexdigest()
    return tenant_key(tenant_id, "history", digest)


class _Turn:
    """A turn being answered, as chunks or as a whole."""

    def __init__(
        self, tenant_id: UUID, turn_id: UUID, conversation_id: UUID, asked: ChatIn, made: Answering
    ) -> None:
        self._tenant_id, self._turn_id = tenant_id, turn_id
        self._conversation_id, self._asked, self._made = conversation_id, asked, made

    async def whole(self) -> dict[str, Any]:
        async with aclosing(self._events()) as events:
            async for name, data in events:
                if name == "answer":
                    await self._kept(data["text"])
                    self._made.text.append(data["text"])
                    body = self._made.completion(_usage(data), citations=data["citations"])
                    return body | {"furrow": self._furrow(data)}
        raise UpstreamFailed("The answer was lost.", code="answer_lost")

    async def chunks(self) -> AsyncGenerator[Any, None]:
        """What was sent cannot be taken back: once the assistant begins anew, the end must fit what was sent."""
        sent, is_held = "", False
        yield self._made.chunk({"role": "assistant", "content": ""})
        async with aclosing(self._events()) as events:
            async for name, data in events:
                if name == "delta" and not is_held:
                    sent += data["text"]
                    yield self._made.chunk({"content": data["text"]})
                elif name == "reset":
                    is_held = is_held or bool(sent)
                elif name == "status":
                    yield None
                elif name == "answer":
                    for chunk in await self._ending(data, sent):
                        yield chunk

    async def _ending(self, answer: dict[str, Any], sent: str) -> list[Any]:
        if not answer["text"].startswith(sent):
            raise UpstreamFailed("The assistant began its answer anew.", code="answer_restarted")
        await self._kept(answer["text"])
        rest = answer["text"][len(sent) :]
        chunks = [self._made.chunk({"content": rest})] if rest else []
        last = self._made.chunk({"citations": answer["citations"]}, finish="stop")
        chunks.append(last | {"furrow": self._furrow(answer)})
        if self._made.wants_usage:
            chunks.append(self._made.usage_chunk(_usage(answer)))
        return chunks

    async def _events(self) -> AsyncGenerator[tuple[str, Any], None]:
        frames: Any = streams.follow(self._tenant_id, self._turn_id)
        async with aclosing(frames):
            async for frame in frames:
                name, data = _frame(frame)
                if name == "error":
                    raise _failure(data)
                if name:
                    yield name, data

    async def _kept(self, text: str) -> None:
        await in_thread(_remember, self._tenant_id, self._asked, text, self._conversation_id)

    def _furrow(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {
            "turn_id": str(self._turn_id),
            "conversation_id": str(self._conversation_id),
            "rung": answer["rung"],
            "suggestions": answer["suggestions"],
            "cost": answer["cost"],
        }


def _frame(frame: bytes) -> tuple[str, Any]:
    lines = dict(line.split(": ", 1) for line in frame.decode().splitlines() if ": " in line[:8])
    return lines.get("event", ""), orjson.loads(lines["data"]) if "data" in lines else None


def _failure(data: dict[str, Any]) -> AppError:
    return UpstreamFailed(data["message"], code=data["code"] or "failed")


def _usage(answer: dict[str, Any]) -> dict[str, Any]:
    used = answer["usage"]
    return usage_object(
        in_hit=used["input_hit"],
        in_miss=used["input_miss"],
        out=used["output"],
        reasoning=used["reasoning"],
    )
