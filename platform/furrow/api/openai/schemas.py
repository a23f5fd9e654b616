"""What `/v1` takes, with a limit on everything a caller could make large. Unknown fields are left out, as
OpenAI's clients send many: above all what would choose a server, a cache or a price never arrives anywhere.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from furrow.api.openai.errors import bad_request

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_MESSAGES = 1000
MAX_INPUTS = 2048
_MOST_TOKENS = 1_000_000

Text = Annotated[str, StringConstraints(max_length=2_000_000)]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Loose(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Message(Loose):
    """Only what the protocol knows reaches a model."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | list[dict[str, Any]] | None = None
    name: ShortText | None = None
    tool_calls: Annotated[list[dict[str, Any]], Field(max_length=128)] | None = None
    tool_call_id: ShortText | None = None

    @property
    def text(self) -> str:
        """The words, without pictures and the like."""
        if isinstance(self.content, list):
            parts = (part.get("text") for part in self.content if part.get("type") == "text")
            return "\n".join(part for part in parts if isinstance(part, str))
        return self.content or ""


class StreamOptions(Loose):
    include_usage: bool = False


class ChatIn(Loose):
    model: ShortText
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=1, le=_MOST_TOKENS)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=_MOST_TOKENS)] | None = None
    # One answer a call: more would multiply what it can cost.
    n: Annotated[int, Field(ge=1, le=1)] | None = None
    conversation_id: ShortText | None = None

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1, le=100_000)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: ShortText | Annotated[list[ShortText], Field(max_length=8)] | None = None
    logit_bias: Annotated[dict[str, float], Field(max_length=1024)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    tools: Annotated[list[dict[str, Any]], Field(max_length=128)] | None = None
    tool_choice: ShortText | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: ShortText | None = None

    @property
    def most_tokens(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def wants_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    def options(self) -> dict[str, Any]:
        """What shapes the answer; the gateway passes on what the server's dialect knows."""
        found = ((name, getattr(self, name)) for name in _OPTIONS)
        return {name: value for name, value in found if value is not None}


_OPTIONS = (
    *("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty"),
    *("repetition_penalty", "seed", "stop", "logit_bias", "logprobs", "top_logprobs", "tools"),
    *("tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort"),
)


class EmbeddingsIn(Loose):
    model: ShortText
    input: Text | Annotated[list[Text], Field(min_length=1, max_length=MAX_INPUTS)]
    encoding_format: Literal["float", "base64"] | None = None
    # The models have one size each.
    dimensions: None = None

    @property
    def texts(self) -> list[str]:
        return [self.input] if isinstance(self.input, str) else self.input


T = TypeVar("T", bound=Loose)


def parsed(shape: type[T], body: dict[str, Any]) -> T:
    """Raises `BadRequest` that names the first field that is wrong, never its value."""
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        param = ".".join(str(part) for part in first["loc"])
        raise bad_request(f"{param}: {first['msg']}", param=param) from None
