"""Chats with a published assistant, with and without documents."""

from collections.abc import Callable
from typing import Any

import pytest

from furrow.assistants.services import assistant_create, assistant_publish
from furrow.core.context import tenant_tx
from furrow.tenants.services import SYSTEM
from tests.conversations.chats import Chat, chat_with, orchard_assistant
from tests.fixtures_embeddings import (  # noqa: F401  fixtures by name
    _embedding_process,
    embedding_server,
    no_embedding_server,
)
from tests.replay import made_once


@pytest.fixture
def chat(cast: Any, embedding_server: Any) -> Chat:  # noqa: F811  a fixture by name
    assistant = made_once("conversations", lambda: orchard_assistant(cast.tenant.id))
    return chat_with(cast.tenant.id, assistant)


@pytest.fixture
def bare_chat(cast: Any) -> Chat:
    """The same without documents, for what needs none."""
    with tenant_tx(cast.tenant.id):
        assistant = assistant_create(actor=SYSTEM, name="小青", template="shop")
        assistant_publish(actor=SYSTEM, assistant=assistant)
    return chat_with(cast.tenant.id, assistant)


@pytest.fixture
def event_names() -> Callable[[list[str]], list[str]]:
    def names(frames: list[str]) -> list[str]:
        lines = [line for frame in frames for line in frame.splitlines()]
        return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]

    return names
