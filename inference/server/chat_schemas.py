"""The bodies of chat and text completion requests, checked; every refusal names the field."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from inference.config import ChatLimits
from inference.engine.request import Priority, Sampling
from inference.pooling.tokens import TokenIds
from inference.server.errors import InvalidRequest
from inference.server.fields import Fields, body_parse, is_unicode

# Default, least and most.
NUMBERS = {
    "temperature": (1.0, 0.0, 2.0),
    "top_p": (1.0, 0.0, 1.0),
    "min_p": (0.0, 0.0, 1.0),
    "presence_penalty": (0.0, -2.0, 2.0),
    "frequency_penalty": (0.0, -2.0, 2.0),
    "repetition_penalty": (1.0, 0.01, 10.0),
}
SAMPLING_FIELDS = {*NUMBERS, "top_k", "logit_bias", "seed"}
COMMON_FIELDS = SAMPLING_FIELDS | {
    *("model", "max_tokens", "stop", "n", "stream", "stream_options", "logprobs", "user"),
    *("cache_salt", "priority", "ignore_eos", "return_token_ids"),
}
# Taken and without effect here: they steer services around a model, or are the only way here.
IDLE_FIELDS = {"metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"}
CHAT_FIELDS = (
    COMMON_FIELDS
    | IDLE_FIELDS
    | {
        *("messages", "tools", "tool_choice", "parallel_tool_calls", "response_format"),
        *("top_logprobs", "max_completion_tokens", "chat_template_kwargs", "reasoning_effort"),
    }
)
COMPLETION_FIELDS = COMMON_FIELDS | {"prompt", "best_of", "echo", "suffix"}
ROLES = {"system", "developer", "user", "assistant", "tool"}
MAX_STOPS = 16
MAX_PROMPTS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What both kinds of request can ask for."""

    model: str
    sampling: Sampling
    max_tokens: int | None
    stops: tuple[str, ...]
    choices: int
    is_stream: bool
    includes_usage: bool
    salt: str
    priority: Priority
    ignore_eos: bool
    returns_token_ids: bool


@dataclass(frozen=True, slots=True)
class ChatWanted:
    """`schema` is {} for any JSON object and None for free text; `forced_tools` are those
    among `tools` one of which must be called."""

    common: Wanted
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    forced_tools: list[dict[str, Any]]
    schema: dict[str, Any] | None
    template_options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CompletionWanted:
    """Either `texts` or `token_ids` holds the prompts, the other is empty."""

    common: Wanted
    texts: list[str]
    token_ids: list[TokenIds]


def chat_request_parse(body: bytes, limits: ChatLimits) -> ChatWanted:
    fields = body_parse(body, CHAT_FIELDS)
    wants_logprobs = fields.flag("logprobs")
    top = fields.whole("top_logprobs", 0, 0, 20)
    if top and not wants_logprobs:
        raise InvalidRequest("'top_logprobs' needs 'logprobs'.", param="top_logprobs")
    most = fields.whole("max_completion_tokens", None, 1, 2**31)
    tools, forced = _tools(fields)
    options = dict(fields.object("chat_template_kwargs"))
    if effort := fields.text("reasoning_effort", most=16):
        options["reasoning_effort"] = effort
    return ChatWanted(
        common=_common(fields, limits, top if wants_logprobs else None, most),
        messages=_messages(fields),
        tools=tools,
        forced_tools=forced,
        schema=_schema(fields),
        template_options=_safe_options(options),
    )


def completion_request_parse(body: bytes, limits: ChatLimits) -> CompletionWanted:
    fields = body_parse(body, COMPLETION_FIELDS)
    for name in ("echo", "suffix"):
        if fields.raw(name):
            raise InvalidRequest(f"'{name}' is not served.", param=name, code="unsupported")
    if fields.raw("best_of") not in {None, fields.raw("n") or 1}:
        raise InvalidRequest("'best_of' must equal 'n'.", param="best_of", code="unsupported")
    texts, token_ids = fields.texts_or_ids("prompt", MAX_PROMPTS)
    common = _common(fields, limits, fields.whole("logprobs", None, 0, 20), None)
    return CompletionWanted(common, texts, token_ids)


def _common(
    fields: Fields, limits: ChatLimits, top_logprobs: int | None, most: int | None
) -> Wanted:
    is_stream = fields.flag("stream")
    options = Fields(fields.object("stream_options"))
    if "stream_options" in fields and not is_stream:
        raise InvalidRequest("'stream_options' needs 'stream'.", param="stream_options")
    return Wanted(
        model=fields.required_text("model"),
        sampling=_sampling(fields, top_logprobs),
        max_tokens=most or fields.whole("max_tokens", None, 1, 2**31),
        stops=_stops(fields.raw("stop")),
        choices=fields.whole("n", 1, 1, limits.max_choices),
        is_stream=is_stream,
        includes_usage=options.flag("include_usage"),
        salt=fields.text("cache_salt", most=256) or "",
        priority=_priority(fields),
        ignore_eos=fields.flag("ignore_eos"),
        returns_token_ids=fields.flag("return_token_ids"),
    )


def _sampling(fields: Fields, top_logprobs: int | None) -> Sampling:
    seed = fields.whole("seed", None, -(2**63), 2**63 - 1)
    return Sampling(
        **{name: fields.number(name, *bounds) for name, bounds in NUMBERS.items()},
        # -1 says "off" in other servers.
        top_k=max(0, fields.whole("top_k", 0, -1, 2**31)),
        logit_bias=_logit_bias(fields.object("logit_bias")),
        seed=secrets.randbits(63) if seed is None else seed,
        top_logprobs=top_logprobs,
    )


def _logit_bias(biases: dict[str, Any]) -> dict[int, float]:
    values = Fields(biases)
    found = {}
    for key in biases:
        if not (key.isascii() and key.isdigit() and len(key) < 10):
            raise InvalidRequest("'logit_bias' must map token ids to numbers.", param="logit_bias")
        found[int(key)] = values.number(key, 0.0, -100.0, 100.0)
    return found


def _stops(value: Any) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else value or []
    is_right = (
        isinstance(stops, list)
        and len(stops) <= MAX_STOPS
        and all(isinstance(stop, str) and stop and is_unicode(stop) for stop in stops)
    )
    if not is_right:
        raise InvalidRequest(
            f"'stop' must be a string or a list of at most {MAX_STOPS} strings.", param="stop"
        )
    return tuple(stops)


def _priority(fields: Fields) -> Priority:
    name = fields.text("priority", "standard", most=16)
    try:
        return Priority[str(name).upper()]
    except KeyError as error:
        raise InvalidRequest(
            "'priority' must be 'interactive', 'standard' or 'batch'.", param="priority"
        ) from error


def _messages(fields: Fields) -> list[dict[str, Any]]:
    messages = fields.list_of_objects("messages")
    if not messages:
        raise InvalidRequest("'messages' must be a list of messages.", param="messages")
    return [_message(message, n) for n, message in enumerate(messages)]


def _message(message: dict[str, Any], n: int) -> dict[str, Any]:
    param = f"messages[{n}]"
    if message.get("role") not in ROLES:
        raise InvalidRequest("A message has no known 'role'.", param=f"{param}.role")
    # Templates know "system" only; OpenAI renamed it for its newer models.
    role = "system" if message["role"] == "developer" else message["role"]
    found = {**message, "role": role, "content": _content(message.get("content"), param)}
    calls = message.get("tool_calls") or []
    if calls:
        found["tool_calls"] = _past_calls(calls, param)
    if not is_unicode(json.dumps(found, ensure_ascii=False)):
        raise InvalidRequest("A message is not valid Unicode.", param=param)
    return found


def _content(content: Any, param: str) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts: list[Any] = content if isinstance(content, list) else [None]
    for part in parts:
        is_text = isinstance(part, dict) and part.get("type") in {"text", "refusal"}
        if not is_text or not isinstance(part.get("text", ""), str):
            raise InvalidRequest(
                "'content' must be text: this model reads nothing else.", param=f"{param}.content"
            )
    return "".join(part.get("text", "") for part in parts)


def _past_calls(calls: Any, param: str) -> list[dict[str, Any]]:
    """Earlier tool calls as templates want them: arguments as an object, not as its text."""
    try:
        return [
            {**call, "function": {**call["function"], "arguments": _decoded(call["function"])}}
            for call in calls
        ]
    except (TypeError, KeyError, ValueError) as error:
        raise InvalidRequest("A tool call is malformed.", param=f"{param}.tool_calls") from error


def _decoded(function: dict[str, Any]) -> Any:
    arguments = function.get("arguments", {})
    return json.loads(arguments or "{}") if isinstance(arguments, str) else arguments


def _tools(fields: Fields) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The tools to show, and those of which one must be called."""
    tools = fields.list_of_objects("tools")
    for tool in tools:
        function = tool.get("function")
        is_right = isinstance(function, dict) and isinstance(function.get("name"), str)
        if tool.get("type") != "function" or not is_right:
            raise InvalidRequest("Every tool must be a named function.", param="tools")
    choice = fields.raw("tool_choice") or "auto"
    if choice == "none":
        return [], []
    if choice == "auto":
        return tools, []
    if choice == "required" and tools:
        return tools, tools
    name = _chosen_name(choice)
    chosen = [tool for tool in tools if tool["function"]["name"] == name]
    if not chosen:
        raise InvalidRequest(
            "'tool_choice' must be 'none', 'auto', 'required' or name one of 'tools'.",
            param="tool_choice",
        )
    return tools, chosen


def _chosen_name(choice: Any) -> Any:
    function: Any = choice.get("function") if isinstance(choice, dict) else None
    return function.get("name") if isinstance(function, dict) else None


def _schema(fields: Fields) -> dict[str, Any] | None:
    wanted: dict[str, Any] = fields.object("response_format")
    kind = wanted.get("type", "text")
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    holder = wanted.get("json_schema")
    schema = holder.get("schema") if isinstance(holder, dict) else None
    if kind == "json_schema" and isinstance(schema, dict):
        return schema
    raise InvalidRequest(
        "'response_format' must be of type text, json_object or json_schema with a schema.",
        param="response_format",
    )


def _safe_options(options: dict[str, Any]) -> dict[str, Any]:
    """Options for the template's text only: none that means something to the tokenizer."""
    for name, value in options.items():
        is_plain = value is None or isinstance(value, bool | int | float | str)
        if not (is_plain and name.isidentifier() and name in TEMPLATE_OPTIONS):
            raise InvalidRequest(
                f"'chat_template_kwargs' may hold {', '.join(sorted(TEMPLATE_OPTIONS))}.",
                param="chat_template_kwargs",
            )
    return options


TEMPLATE_OPTIONS = {"enable_thinking", "thinking", "thinking_budget", "reasoning_effort"}
