"""A chat with an assistant whose model is scripted: what it writes, thinks and counts is the test's."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import fixtures_chat, fixtures_embeddings
from tests.conversations.chats import WRITES, Chat, chat_with, orchard_assistant
from tests.fixtures_chat import ChatServer, answer, chunk, openai_usage
from tests.replay import made_once

_chat_process = fixtures_chat._chat_process
chat_server = fixtures_chat.chat_server
_embedding_process = fixtures_embeddings._embedding_process
embedding_server = fixtures_embeddings.embedding_server


@pytest.fixture
def chat(cast: Any, embedding_server: Any, chat_server: ChatServer) -> Chat:
    assistant = made_once("composed", lambda: orchard_assistant(cast.tenant.id, **WRITES))
    return chat_with(cast.tenant.id, assistant)


@pytest.fixture
def says(chat_server: ChatServer) -> Any:
    """Lets the model write a text, in pieces of a few characters, after some thoughts."""

    def script(text: str, *, thoughts: str = "", finish: str = "stop", step: int = 5) -> None:
        pieces = [text[at : at + step] for at in range(0, len(text), step)]
        usage = openai_usage(120, 40, cached=64, reasoning=10 if thoughts else 0)
        events = answer(*pieces, usage=usage, finish=finish)
        if thoughts:
            events.insert(1, chunk(reasoning_content=thoughts))
        chat_server.events = events

    return script


def attacks() -> list[dict[str, Any]]:
    path = Path(__file__).with_name("attacks.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
