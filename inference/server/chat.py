"""POST /v1/chat/completions and /v1/completions: check, tokenise, queue, answer or stream."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from inference.engine.grammar import (
    GrammarRefused,
    GrammarUnavailable,
    json_grammar,
    lark_grammar,
)
from inference.engine.reasoning import Reasoning
from inference.engine.request import Delta, Ending, FinishReason, Request
from inference.server.answers import Answer, ChatChoice, TextChoice
from inference.server.bodies import (
    CLIENT_CLOSED_REQUEST,
    body_read,
    tenant_of,
    unless_disconnected,
)
from inference.server.chat_format import Prompt
from inference.server.chat_model import ChatModel, Mailbox, request_usage
from inference.server.chat_schemas import (
    ChatWanted,
    CompletionWanted,
    Wanted,
    chat_request_parse,
    completion_request_parse,
)
from inference.server.errors import ApiError, InvalidRequest, Unavailable
from inference.server.middleware import request_note
from inference.server.pooled import DRAINING_RETRY_S
from inference.server.service import ModelService
from inference.server.sse import EventStream
from inference.server.tool_calls import call_grammar


@dataclass(frozen=True, slots=True)
class Task:
    """A request that was checked, and how its answer is written."""

    request: Request
    answer: Answer
    wanted: Wanted


async def chat_create(http: HttpRequest) -> ASGIApp:
    service: ModelService = http.app.state.service
    body = await body_read(http, service.config.limits.max_body_bytes)
    limits = service.chat_limits
    wanted = chat_request_parse(body, limits)
    model = service.chat_for(wanted.common.model)
    # Off the event loop: a template and a long prompt take tens of milliseconds.
    task = await asyncio.to_thread(_chat_task, http, model, wanted)
    return await _answered(http, model, task)


async def completions_create(http: HttpRequest) -> ASGIApp:
    service: ModelService = http.app.state.service
    body = await body_read(http, service.config.limits.max_body_bytes)
    wanted = completion_request_parse(body, service.chat_limits)
    model = service.chat_for(wanted.common.model)
    task = await asyncio.to_thread(_completion_task, http, model, wanted)
    return await _answered(http, model, task)


def _chat_task(http: HttpRequest, model: ChatModel, wanted: ChatWanted) -> Task:
    prompt = model.loaded.template.chat(
        wanted.messages, wanted.tools or None, wanted.template_options
    )
    request = _request(http, model, wanted.common, [prompt], kind="chat")
    request.grammar = _grammar(model, wanted)
    common = wanted.common
    choices = [
        ChatChoice(
            model.loaded.vocabulary,
            tool_form=model.loaded.template.tool_form if wanted.tools else None,
            has_token_ids=common.returns_token_ids,
            has_logprobs=common.sampling.top_logprobs is not None,
        )
        for _ in request.sequences
    ]
    return Task(request, Answer(request, model.name, "chat", list(choices)), common)


def _completion_task(http: HttpRequest, model: ChatModel, wanted: CompletionWanted) -> Task:
    if any(not 0 <= n < model.loaded.vocabulary_size for ids in wanted.token_ids for n in ids):
        raise InvalidRequest("'prompt' holds a token id that is not known.", param="prompt")
    prompts = [Prompt(ids, Reasoning.OFF) for ids in wanted.token_ids]
    prompts += [model.loaded.template.text(text) for text in wanted.texts]
    request = _request(http, model, wanted.common, prompts, kind="completion")
    choices = [
        TextChoice(model.loaded.vocabulary, wanted.common.returns_token_ids)
        for _ in request.sequences
    ]
    return Task(request, Answer(request, model.name, "text", list(choices)), wanted.common)


def _request(
    http: HttpRequest, model: ChatModel, wanted: Wanted, prompts: list[Prompt], *, kind: str
) -> Request:
    longest = max(len(prompt.ids) for prompt in prompts)
    tenant = tenant_of(http)
    if not min(len(prompt.ids) for prompt in prompts):
        raise InvalidRequest("The prompt is empty.", param="prompt")
    if any(n >= model.loaded.vocabulary_size for n in wanted.sampling.logit_bias):
        raise InvalidRequest("'logit_bias' holds an unknown token id.", param="logit_bias")
    return Request(
        request_id=http.state.request_id,
        prompts=[prompt.ids for prompt in prompts],
        sampling=wanted.sampling,
        ending=Ending(
            max_tokens=_max_tokens(longest, wanted.max_tokens, model.loaded.max_context, kind),
            stops=wanted.stops,
            ignore_eos=wanted.ignore_eos,
        ),
        tenant=tenant,
        salt=cache_salt(tenant, wanted.salt),
        kind=kind,
        priority=wanted.priority,
        choices=wanted.choices,
        reasoning=prompts[0].reasoning,
    )


def _max_tokens(prompt: int, asked: int | None, context: int, kind: str) -> int:
    room = context - prompt
    param = "messages" if kind == "chat" else "prompt"
    if room < 1 or (asked is not None and asked > room):
        answer = f" and {asked} for the answer" if asked is not None else ""
        raise InvalidRequest(
            f"This model's context is {context} tokens; the prompt has {prompt}{answer}.",
            param=param,
            code="context_length_exceeded",
        )
    return asked or room


def cache_salt(tenant: str, salt: str) -> bytes:
    """What separates prefixes: the tenant always does, also without a salt of its own."""
    parts = tenant.encode(), salt.encode()
    # Lengths first: no two pairs may read the same.
    text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hashlib.blake2b(text, digest_size=32).digest()


def _grammar(model: ChatModel, wanted: ChatWanted) -> str | None:
    if wanted.schema is None and not wanted.forced_tools:
        return None
    param = "tool_choice" if wanted.forced_tools else "response_format"
    if wanted.forced_tools and model.loaded.template.is_harmony:
        # Its calls are messages of their own, which a grammar of the answer cannot begin.
        raise InvalidRequest(
            "This model chooses its tools itself.", param=param, code="unsupported"
        )
    try:
        if wanted.forced_tools:
            template = model.loaded.template
            source = lark_grammar(
                call_grammar(wanted.forced_tools, template.is_token, template.tool_form)
            )
        else:
            source = json_grammar(wanted.schema or {})
        model.grammar_check(source)
    except GrammarUnavailable as error:
        raise InvalidRequest(str(error), param=param, code="unsupported") from error
    except GrammarRefused as error:
        raise InvalidRequest(
            "The schema cannot be followed by this server.", param=param, code="invalid_schema"
        ) from error
    return source


async def _answered(http: HttpRequest, model: ChatModel, task: Task) -> ASGIApp:
    service: ModelService = http.app.state.service
    request = task.request
    request_note(
        http,
        prompt_tokens=request.prompt_tokens,
        choices=len(request.sequences),
        priority=request.priority.name.lower(),
    )
    service.check_receipts()
    mailbox = model.open(request)
    if task.wanted.is_stream:
        return EventStream(_events(mailbox, task), lambda: _close(http, model, mailbox))
    try:
        deltas = await unless_disconnected(http, _gathered(mailbox))
    finally:
        _close(http, model, mailbox)
    if deltas is None:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    return JSONResponse(task.answer.whole(deltas))


def _close(http: HttpRequest, model: ChatModel, mailbox: Mailbox) -> None:
    request = mailbox.request
    if not mailbox.is_over:
        model.engine.abort(request)
    usage = request_usage(request)
    request_note(
        http,
        cached_tokens=usage.in_hit,
        tokens=usage.out + usage.reasoning,
        busy_us=request.counts.busy_us,
    )


async def _gathered(mailbox: Mailbox) -> list[Delta]:
    return [_checked(delta, mailbox.request) async for delta in mailbox.all()]


async def _events(mailbox: Mailbox, task: Task) -> AsyncIterator[dict[str, Any]]:
    includes_usage = task.wanted.includes_usage
    async for delta in mailbox.all():
        _checked(delta, mailbox.request)
        for chunk in task.answer.chunks(delta, includes_usage=includes_usage):
            yield chunk
    if includes_usage:
        yield task.answer.usage_chunk()


def _checked(delta: Delta, request: Request) -> Delta:
    """Raises what a client must hear instead of an answer."""
    if delta.finish_reason is FinishReason.ERROR:
        raise ApiError("The model failed on this request.", code="generation_failed")
    if delta.finish_reason is FinishReason.CANCELLED:
        raise Unavailable(
            "The server stopped before the answer was complete.",
            code="stopped",
            retry_after_s=DRAINING_RETRY_S,
        )
    return delta
