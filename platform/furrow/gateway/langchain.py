"""LangChain's face of the gateway, so that any chain goes through the one door."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    convert_to_openai_messages,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from furrow.gateway.chat import chat_stream
from furrow.gateway.chat_types import ChatDelta, ChatRequest, ChatUsage, Priority
from furrow.gateway.embeddings import embed_texts


class FurrowEmbeddings(Embeddings):
    """Embeds with the configured model unless another is named."""

    def __init__(self, model: str | None = None) -> None:
        self.model = model

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return embed_texts(texts, model=self.model, priority="batch")

    def embed_query(self, text: str) -> list[float]:
        return embed_texts([text], model=self.model, priority="interactive")[0]


class FurrowChatModel(BaseChatModel):
    """Chats with the configured model unless another is named, as the current tenant.

    Thoughts stand in `additional_kwargs["reasoning_content"]`, the counts in `usage_metadata`.
    """

    model: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    thinking: bool | None = None
    priority: Priority = "interactive"

    @property
    def _llm_type(self) -> str:
        return "furrow"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        if tool_choice is not None:
            kwargs["tool_choice"] = _tool_choice(tool_choice)
        return super().bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        # As a stream that nobody watches: one path for text, tools and counts.
        return generate_from_stream(self._stream(messages, stop, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with closing(chat_stream(self._request(messages, stop, kwargs))) as parts:
            for part in parts:
                if part == ChatDelta():
                    continue
                chunk = ChatGenerationChunk(message=_message(part))
                if run_manager is not None:
                    run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
                yield chunk

    def _request(
        self, messages: list[BaseMessage], stop: list[str] | None, options: dict[str, Any]
    ) -> ChatRequest:
        chosen = {"temperature": self.temperature, "stop": stop} | options
        return ChatRequest(
            messages=convert_to_openai_messages(messages),
            model=self.model,
            max_tokens=self.max_tokens,
            thinking=self.thinking,
            priority=self.priority,
            options={name: value for name, value in chosen.items() if value is not None},
        )


def _tool_choice(choice: str) -> str | dict[str, Any]:
    if choice == "any":
        return "required"
    if choice in {"auto", "none", "required"}:
        return choice
    return {"type": "function", "function": {"name": choice}}


def _message(part: ChatDelta | ChatUsage) -> AIMessageChunk:
    if isinstance(part, ChatUsage):
        return AIMessageChunk(
            content="",
            usage_metadata=_usage_metadata(part),
            response_metadata={"model_name": part.model, "basis": part.basis},
        )
    calls = [
        tool_call_chunk(
            name=call.name or None,
            args=call.arguments,
            id=call.id or None,
            index=call.index,
        )
        for call in part.tool_calls
    ]
    return AIMessageChunk(
        content=part.text,
        additional_kwargs={"reasoning_content": part.reasoning} if part.reasoning else {},
        response_metadata={"finish_reason": part.finish_reason} if part.finish_reason else {},
        tool_call_chunks=calls,
    )


def _usage_metadata(ended: ChatUsage) -> UsageMetadata:
    usage = ended.usage
    return UsageMetadata(
        input_tokens=usage.prompt,
        output_tokens=usage.completion,
        total_tokens=usage.prompt + usage.completion,
        input_token_details={"cache_read": usage.in_hit},
        output_token_details={"reasoning": usage.reasoning},
    )
