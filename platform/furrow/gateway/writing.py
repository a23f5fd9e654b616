"""A model writing an answer, for whoever wants text and counts and no library's types.

`FurrowChatModel` does the calling, so what is written here is held for and settled like any other call.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from furrow.gateway.chat_types import Priority

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Piece:
    """The next part of an answer; thoughts stand apart from what is meant for the reader."""

    text: str = ""
    thought: str = ""


@dataclass
class Usage:
    """Filled in as a call ends; a call that is broken off leaves it empty, and its receipt knows better."""

    input_hit: int = 0
    input_miss: int = 0
    output: int = 0
    reasoning: int = 0
    model: str = ""
    is_cut: bool = False

    def as_json(self) -> dict[str, int]:
        return {
            name: getattr(self, name) for name in ("input_hit", "input_miss", "output", "reasoning")
        }


@dataclass(frozen=True)
class Manner:
    """How to write: at most how much, thoughts included, with which model, whether it may think first."""

    max_tokens: int
    model: str | None = None
    thinking: bool | None = None
    temperature: float = 0.0
    priority: Priority = "interactive"


@dataclass
class Writer:
    """One call to the model, read piece by piece; `usage` is known when it has ended."""

    manner: Manner
    usage: Usage = field(default_factory=Usage)

    def write(self, messages: Messages) -> Generator[Piece, None, None]:
        """Closing the generator stops the model. Raises `LimitReached` and `UpstreamFailed`."""
        # LangChain takes 35 MB, which processes that let no model write should not pay.
        from furrow.gateway.langchain import FurrowChatModel  # noqa: PLC0415

        model = FurrowChatModel(
            model=self.manner.model,
            max_tokens=self.manner.max_tokens,
            temperature=self.manner.temperature,
            thinking=self.manner.thinking,
            priority=self.manner.priority,
        )
        chunks: Generator[AIMessageChunk, None, None] = model.stream(_typed(messages))  # type: ignore[assignment]
        with closing(chunks):
            for chunk in chunks:
                self._note(chunk)
                piece = Piece(
                    str(chunk.text), str(chunk.additional_kwargs.get("reasoning_content", ""))
                )
                if piece != Piece():
                    yield piece

    def whole(self, messages: Messages) -> str:
        """Everything the model writes, its thoughts left out."""
        return "".join(piece.text for piece in self.write(messages)).strip()

    def _note(self, chunk: "AIMessage") -> None:
        if chunk.response_metadata.get("finish_reason") == "length":
            self.usage.is_cut = True
        counts = chunk.usage_metadata
        if counts is None:
            return
        hit = counts.get("input_token_details", {}).get("cache_read", 0)
        reasoning = counts.get("output_token_details", {}).get("reasoning", 0)
        self.usage.input_hit, self.usage.input_miss = hit, counts["input_tokens"] - hit
        self.usage.output = counts["output_tokens"] - reasoning
        self.usage.reasoning = reasoning
        self.usage.model = str(chunk.response_metadata.get("model_name", ""))


def _typed(messages: Messages) -> "list[BaseMessage]":
    from langchain_core.messages import convert_to_messages  # noqa: PLC0415  as above

    return convert_to_messages([dict(message) for message in messages])
