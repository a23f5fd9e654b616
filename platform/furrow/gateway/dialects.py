"""How the servers that speak OpenAI's protocol differ: what may be asked of them and how they count."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from furrow.gateway.chat_types import ChatRequest
from furrow.gateway.isolation import cache_salt, tenant_tag
from furrow.gateway.usage import (
    Reader,
    read_deepseek,
    read_llamacpp,
    read_openai,
    read_sglang,
)

Body = dict[str, Any]

_COMMON_OPTIONS = {
    *("temperature", "top_p", "presence_penalty", "frequency_penalty", "stop"),
    *("tools", "tool_choice", "response_format", "logprobs", "top_logprobs"),
}
_OPENAI_OPTIONS = _COMMON_OPTIONS | {
    *("seed", "logit_bias", "parallel_tool_calls", "reasoning_effort"),
}
_ENGINE_OPTIONS = _OPENAI_OPTIONS | {"top_k", "min_p"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """`isolate` adds what keeps tenants apart; `thinking` what turns thoughts on or off.

    `splits_thoughts` says that thoughts never come inside the text. `silence_s` ends a call of which nothing at
    all is heard, where a living server would send comments; None leaves that to the other time limits.
    """

    read_usage: Reader
    isolate: Callable[[UUID], Body]
    thinking: Callable[[bool], Body]
    options: frozenset[str] = frozenset(_ENGINE_OPTIONS)
    max_tokens_field: str = "max_tokens"
    has_running_usage: bool = False
    is_own: bool = False
    splits_thoughts: bool = False
    silence_s: float | None = None


def _salted(tenant_id: UUID) -> Body:
    return {"cache_salt": cache_salt(tenant_id)}


def _without_cache(_: UUID) -> Body:
    """Its cache knows no salt, and a shared one tells one tenant what another asked."""
    return {"cache_prompt": False}


def _template_switch(is_on: bool) -> Body:
    return {"chat_template_kwargs": {"enable_thinking": is_on}}


DIALECTS: dict[str, Dialect] = {
    "own": Dialect(
        read_usage=read_openai,
        isolate=_salted,
        thinking=_template_switch,
        options=frozenset(_ENGINE_OPTIONS | {"repetition_penalty"}),
        is_own=True,
        splits_thoughts=True,
        # It sends a comment every 10 s while a request waits.
        silence_s=25.0,
    ),
    "vllm": Dialect(
        read_usage=read_openai,
        isolate=_salted,
        thinking=_template_switch,
        options=frozenset(_ENGINE_OPTIONS | {"repetition_penalty"}),
        has_running_usage=True,
    ),
    "sglang": Dialect(
        read_usage=read_sglang,
        isolate=_salted,
        thinking=_template_switch,
        options=frozenset(_ENGINE_OPTIONS | {"repetition_penalty"}),
        has_running_usage=True,
    ),
    "llamacpp": Dialect(
        read_usage=read_llamacpp, isolate=_without_cache, thinking=_template_switch
    ),
    "openai": Dialect(
        read_usage=read_openai,
        # OpenAI keeps caches apart by account only; the tag lets it tell an abuser from the rest.
        isolate=lambda _: {"user": tenant_tag()},
        thinking=lambda _: {},
        options=frozenset(_OPENAI_OPTIONS),
        max_tokens_field="max_completion_tokens",
    ),
    "deepseek": Dialect(
        read_usage=read_deepseek,
        isolate=lambda tenant_id: {"user_id": cache_salt(tenant_id)},
        thinking=lambda is_on: {"thinking": {"type": "enabled" if is_on else "disabled"}},
        options=frozenset(_COMMON_OPTIONS),
        splits_thoughts=True,
    ),
}


def body_build(dialect: Dialect, request: ChatRequest, *, model: str, tenant_id: UUID) -> Body:
    """The request's JSON but for the limit of its answer. Every field is ours or on the dialect's list: a
    caller reaches nothing else, above all no `n`, which would multiply what a call costs.
    """
    body: Body = {name: value for name, value in request.options.items() if name in dialect.options}
    body |= {
        "model": model,
        "messages": [dict(message) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if dialect.has_running_usage:
        # With it a stream that breaks has still said what it used so far.
        body["stream_options"]["continuous_usage_stats"] = True
    if request.thinking is not None:
        body |= dialect.thinking(request.thinking)
    if dialect.is_own:
        body["priority"] = request.priority
    return body | dialect.isolate(tenant_id)


def headers_build(dialect: Dialect, request_id: str) -> Mapping[str, str]:
    headers = {"X-Request-Id": request_id, "Accept": "text/event-stream"}
    if dialect.is_own:
        headers["X-Tenant"] = tenant_tag()
    return headers
