"""A chat server around the fake model, spoken to over HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from inference.config import ChatConfig, ChatLimits, ServeConfig
from inference.engine.kv_blocks import BlockPool
from inference.engine.output import Vocabulary
from inference.engine.runner import Runner
from inference.engine.scheduler import Scheduler, SchedulerLimits
from inference.server.app import app_create
from inference.server.chat_format import ChatTemplate
from inference.server.chat_model import LoadedChat
from inference.server.receipts import ReceiptLog
from inference.server.service import LoadedModels, ModelService
from tests.inference.conftest import FakeEncoder
from tests.inference.engine.fake_model import BLOCK, EOS, WORDS, FakeModel, NoCache, decode, raw

CONTEXT = 400


class ByteTokenizer:
    """One token a byte. The template writes <role>content, one line a message."""

    chat_template = "a template that may open <think>"
    all_special_tokens = ("<end>",)

    def apply_chat_template(self, conversation: list[dict[str, Any]], **options: Any) -> str:
        if conversation[0]["role"] == "assistant":
            raise ValueError("the conversation must start with a user")
        lines = [f"{message['role']}: {message['content']}" for message in conversation]
        tools = [tool["function"]["name"] for tool in options["tools"] or ()]
        return "\n".join([*tools, *lines, options.get("reasoning_effort", "") + "assistant:"])

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        return list(text.encode())


class ChatServer:
    """The running service, its model and a client."""

    def __init__(self, service: ModelService, client: TestClient, model: FakeModel) -> None:
        self.service = service
        self.client = client
        self.model = model

    @property
    def scheduler(self) -> Scheduler:
        assert self.service.chat is not None
        return self.service.chat.loaded.scheduler

    def script(self, text: str, content: str = "hi") -> None:
        """What the model answers to a single user message of this content."""
        self.model.script = (len(f"user: {content}\nassistant:"), text.encode())

    def post(self, path: str = "/v1/chat/completions", **fields: Any) -> Any:
        headers = fields.pop("headers", {})
        body = {"model": "fake"} | fields
        if path == "/v1/chat/completions":
            body = {"messages": [{"role": "user", "content": "hi"}]} | body
        return self.client.post(path, json=body, headers=headers)

    def ask(self, path: str = "/v1/chat/completions", **fields: Any) -> dict[str, Any]:
        answer = self.post(path, **fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stream(self, path: str = "/v1/chat/completions", **fields: Any) -> list[Any]:
        """The events of a streamed answer, the last of which was [DONE] or an error."""
        answer = self.post(path, stream=True, **fields)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        return events_of(answer.text)

    def receipts(self) -> list[dict[str, Any]]:
        return self.client.get("/receipts").json()["receipts"]


def events_of(text: str) -> list[Any]:
    lines = [line for line in text.split("\n\n") if line and not line.startswith(":")]
    assert all(line.startswith("data: ") for line in lines)
    found = [line.removeprefix("data: ") for line in lines]
    if found[-1] != "[DONE]":
        assert "error" in json.loads(found[-1])
        return [json.loads(event) for event in found]
    return [json.loads(event) for event in found[:-1]]


def loaded_chat(
    model: FakeModel, blocks: int, grammars: Any = None, tokenizer: Any = None, **limits: Any
) -> LoadedChat:
    return LoadedChat(
        runner=Runner(model, NoCache(), block_size=BLOCK),
        scheduler=Scheduler(
            BlockPool(blocks, BLOCK),
            SchedulerLimits(**{"step_tokens": 64, "sequences": 8} | limits),
        ),
        vocabulary=Vocabulary(decode, raw, frozenset({EOS}), grammars),
        template=ChatTemplate(tokenizer or ByteTokenizer()),
        max_context=min(CONTEXT, blocks * BLOCK),
        vocabulary_size=WORDS,
    )


@pytest.fixture
def start_chat(tmp_path: Path) -> Iterator[Callable[..., ChatServer]]:
    """Start a server: `start_chat(limits=..., blocks=..., grammars=..., reranker=...)`."""
    ends = ExitStack()

    def run(
        *,
        limits: ChatLimits | None = None,
        blocks: int = 256,
        grammars: Any = None,
        reranker: Any = None,
        **scheduling: Any,
    ) -> ChatServer:
        model = FakeModel(blocks)
        config = ServeConfig(
            served_name="embedder",
            rerank_model="ranker" if reranker else None,
            chat=ChatConfig(model="fake", limits=limits or ChatLimits()),
        )
        receipts = ReceiptLog(tmp_path / "receipts.jsonl")
        service = ModelService(
            config,
            receipts,
            lambda: LoadedModels(
                chat=loaded_chat(model, blocks, grammars, **scheduling),
                embedder=FakeEncoder(),
                reranker=reranker,
            ),
        )
        ends.callback(receipts.close)
        ends.callback(service.stop, 5)
        ends.callback(model.gate.set)
        client = TestClient(app_create(service, ()), raise_server_exceptions=False)
        ends.enter_context(client)
        service.start()
        while not service.is_ready:
            assert service.failure is None, service.failure
            threading.Event().wait(0.001)
        return ChatServer(service, client, model)

    with ends:
        yield run


@pytest.fixture
def chat(start_chat: Callable[..., ChatServer]) -> ChatServer:
    return start_chat()
