"""Messages to a prompt with the model's own template, and the tokens of its control words kept
out of what people wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from inference.engine.reasoning import (
    CLOSE,
    HARMONY_CHANNEL,
    HARMONY_START,
    OPEN,
    Reasoning,
)
from inference.server.errors import InvalidRequest
from inference.server.tool_calls import DEEPSEEK, DEEPSEEK_FENCED, GRANITE, HERMES, ToolForm

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids, and whether the answer to them may begin with thoughts."""

    ids: list[int]
    reasoning: Reasoning


class ChatTokenizer(Protocol):
    """What the server needs of a tokenizer."""

    chat_template: Any
    all_special_tokens: list[str]

    def apply_chat_template(self, conversation: list[Message], **options: Any) -> Any: ...

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]: ...


class ChatTemplate:
    """Prompts for one model. Calls may come from several threads: nothing changes here."""

    def __init__(self, tokenizer: ChatTokenizer) -> None:
        self._tokenizer = tokenizer
        text = str(tokenizer.chat_template or "")
        self._has_thoughts, self.is_harmony = OPEN in text, HARMONY_CHANNEL in text
        self._has_fences = "```json" in text
        self._control_words = sorted(
            {word for word in tokenizer.all_special_tokens if len(word) > 1},
            key=len,
            reverse=True,
        )

    @property
    def tool_form(self) -> ToolForm:
        """How this model writes tool calls, told by its vocabulary and its template."""
        if self.is_token(DEEPSEEK.start):
            return DEEPSEEK_FENCED if self._has_fences else DEEPSEEK
        return GRANITE if self.is_token(GRANITE.start) else HERMES

    @property
    def exists(self) -> bool:
        return bool(self._tokenizer.chat_template)

    def chat(
        self, messages: Sequence[Message], tools: list[Any] | None, options: dict[str, Any]
    ) -> Prompt:
        """Raises InvalidRequest when the template refuses the messages."""
        if not self.exists:
            raise InvalidRequest(
                "This model has no chat template: use /v1/completions.",
                param="messages",
                code="no_chat_template",
            )
        try:
            text = self._tokenizer.apply_chat_template(
                [self._disarmed(message) for message in messages],
                tools=tools,
                add_generation_prompt=True,
                tokenize=False,
                **options,
            )
        except (ValueError, TypeError, KeyError, template_errors()) as error:
            # A template raises for an order of roles that its model does not know.
            raise InvalidRequest(
                "The model's chat template does not take these messages.", param="messages"
            ) from error
        # The template has written the special tokens itself.
        ids = self._tokenizer.encode(text, add_special_tokens=False)
        return Prompt(ids, self._reasoning_after(text))

    def text(self, text: str) -> Prompt:
        return Prompt(self._tokenizer.encode(text), Reasoning.OFF)

    def is_token(self, text: str) -> bool:
        """Whether the vocabulary has one token for all of the text."""
        return len(self._tokenizer.encode(text, add_special_tokens=False)) == 1

    def _reasoning_after(self, text: str) -> Reasoning:
        end = text.rstrip()
        if self.is_harmony and end.endswith(HARMONY_START):
            return Reasoning.HARMONY
        if end.endswith(OPEN):
            return Reasoning.OPENED
        return Reasoning.AUTO if self._has_thoughts and not end.endswith(CLOSE) else Reasoning.OFF

    def _disarmed(self, message: Message) -> Message:
        return {key: self._without_control_words(value) for key, value in message.items()}

    def _without_control_words(self, value: Any) -> Any:
        """Text whose control words are broken: a visitor must not end a turn or open a role."""
        if isinstance(value, str):
            for word in self._control_words:
                value = value.replace(word, f"{word[0]} {word[1:]}")
            return value
        if isinstance(value, list):
            return [self._without_control_words(entry) for entry in value]
        if isinstance(value, dict):
            return {key: self._without_control_words(entry) for key, entry in value.items()}
        return value


def template_errors() -> type[Exception]:
    # Imported here: only a process with a chat model has the template engine.
    from jinja2 import TemplateError  # noqa: PLC0415

    return TemplateError
