"""The real process with a tiny checkpoint: the official client, a kill, the memory plan."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.inference.server.process import Process
from tests.inference.server.tiny_checkpoint import checkpoint_save, reranker_save

WHY_SKIPPED = "it comes with the 'inference' and 'dev' extras, which are not installed"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("models")
    return {
        "chat": checkpoint_save(root / "tiny-chat"),
        "rerank": reranker_save(root / "tiny-rerank"),
    }


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def run(*options: str, folder: Path | None = None) -> Process:
        started.append(Process(list(options), folder or tmp_path_factory.mktemp("server")))
        return started[-1]

    yield run
    for process in started:
        process.end()


@pytest.fixture(scope="module")
def server(launch: Callable[..., Process], folders: dict[str, Path]) -> Process:
    options = ("--model", str(folders["chat"]), "--rerank-model", str(folders["rerank"]))
    return launch(*options, "--kv-gib", "0.01").until_ready()


@pytest.fixture
def client(server: Process) -> Iterator[Any]:
    openai = pytest.importorskip("openai", reason=WHY_SKIPPED)
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0) as found:
        yield found


MESSAGES = [{"role": "user", "content": "Which pears are left?"}]
PRICE = {
    "type": "function",
    "function": {
        "name": "price",
        "description": "The price of a fruit",
        "parameters": {
            "type": "object",
            "properties": {"fruit": {"enum": ["pear", "plum"]}, "count": {"enum": [1, 2]}},
            "required": ["fruit", "count"],
            "additionalProperties": False,
        },
    },
}


def test_the_official_client_reads_an_answer_and_a_stream(client) -> None:
    fields = {"model": "tiny-chat", "messages": MESSAGES, "max_tokens": 12, "seed": 3}
    whole = client.chat.completions.create(**fields, logprobs=True, top_logprobs=2)
    assert whole.usage.completion_tokens <= 12
    entries = whole.choices[0].logprobs.content
    assert len(entries) >= whole.usage.completion_tokens - 1
    raw = bytes(byte for entry in entries for byte in entry.bytes)
    # Random bytes are seldom characters, and libraries replace what is none in various ways.
    shown = whole.choices[0].message.content.replace("\ufffd", "")
    assert raw.decode("utf-8", "ignore") == shown
    text, usage = "", None
    stream = client.chat.completions.create(
        **fields, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        usage = chunk.usage
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    assert text == whole.choices[0].message.content
    assert usage.completion_tokens == whole.usage.completion_tokens
    assert usage.prompt_tokens_details.cached_tokens > 0


def test_the_official_client_streams_a_required_tool_call(client) -> None:
    pytest.importorskip("llguidance", reason=WHY_SKIPPED)
    fields = {"model": "tiny-chat", "messages": MESSAGES, "tools": [PRICE], "seed": 5}
    for choice in ("required", {"type": "function", "function": {"name": "price"}}):
        arguments, names, reason = "", [], None
        stream = client.chat.completions.create(
            **fields, tool_choice=choice, max_tokens=300, stream=True
        )
        for chunk in stream:
            for call in chunk.choices[0].delta.tool_calls or ():
                if call.index == 0:
                    names += [call.function.name] if call.function.name else []
                    arguments += call.function.arguments or ""
            reason = chunk.choices[0].finish_reason or reason
        assert names == ["price"]
        assert reason in {"tool_calls", "length"}
        assert set(json.loads(arguments)) == {"fruit", "count"}


def test_the_official_client_gets_json_of_its_schema(client) -> None:
    pytest.importorskip("llguidance", reason=WHY_SKIPPED)
    pydantic = pytest.importorskip("pydantic")
    Pear = pydantic.create_model("Pear", ripe=(bool, ...), kind=(str, pydantic.Field(max_length=9)))
    answer = client.chat.completions.parse(
        model="tiny-chat", messages=MESSAGES, response_format=Pear, max_tokens=200, seed=1
    )
    pear = answer.choices[0].message.parsed
    assert isinstance(pear.ripe, bool)
    assert len(pear.kind) <= 9
    assert answer.choices[0].finish_reason == "stop"


def test_the_official_client_knows_our_refusals(client) -> None:
    import openai  # noqa: PLC0415 - the fixture has skipped where it is missing

    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="tiny-chat", messages=MESSAGES, max_tokens=99_999)
    assert refused.value.code == "context_length_exceeded"
    assert client.models.retrieve("tiny-chat").owned_by == "furrow"
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gpt", messages=MESSAGES)


def test_one_process_serves_three_kinds_of_models(server: Process) -> None:
    names = [m["id"] for m in httpx.get(f"{server.address}/v1/models").json()["data"]]
    assert names == ["tiny-chat", "all-MiniLM-L6-v2", "tiny-rerank"]
    body: dict[str, Any] = {"model": "tiny-rerank", "query": "w5", "documents": ["w6 w7", "w8"]}
    ranked = httpx.post(f"{server.address}/v1/rerank", json=body | {"top_n": 1}).json()
    assert len(ranked["results"]) == 1
    assert ranked["usage"]["total_tokens"] == 6 + 5
    body = {"model": "all-MiniLM-L6-v2", "input": "a ripe pear"}
    vector = httpx.post(f"{server.address}/v1/embeddings", json=body).json()["data"][0]
    assert len(vector["embedding"]) == 384
    assert server.ask(max_tokens=3, temperature=0)["usage"]["completion_tokens"] <= 3


def test_a_killed_server_reuses_no_number_and_keeps_its_file(
    launch: Callable[..., Process], folders: dict[str, Path], tmp_path: Path
) -> None:
    options = ("--model", str(folders["chat"]), "--embedding-model", "none", "--kv-gib", "0.01")
    first = launch(*options, folder=tmp_path).until_ready()
    for _ in range(3):
        first.ask(max_tokens=2)
    body = {
        "model": "tiny-chat",
        "messages": MESSAGES,
        "max_tokens": 900,
        "ignore_eos": True,
        "stream": True,
    }
    with httpx.stream("POST", f"{first.address}/v1/chat/completions", json=body) as answer:
        next(answer.iter_text())
        first.process.send_signal(signal.SIGKILL)
    first.process.wait(10)
    # What a crash in the middle of a write leaves behind.
    with first.receipts.open("ab") as file:
        file.write(b'{"boot_id":"x","seq":4,"req')
    second = launch(*options, folder=tmp_path).until_ready()
    second.ask(max_tokens=2)
    found = [json.loads(line) for line in second.receipts.read_text().splitlines()]
    assert [receipt["seq"] for receipt in found] == [1, 2, 3, 4]
    assert found[3]["boot_id"] != found[0]["boot_id"]


def test_sigterm_finishes_the_stream_and_leaves_its_receipt(
    launch: Callable[..., Process], folders: dict[str, Path], tmp_path: Path
) -> None:
    options = ("--model", str(folders["chat"]), "--embedding-model", "none", "--kv-gib", "0.01")
    process = launch(*options, folder=tmp_path).until_ready()
    body = {
        "model": "tiny-chat",
        "messages": MESSAGES,
        "max_tokens": 200,
        "ignore_eos": True,
        "stream": True,
    }
    with httpx.stream("POST", f"{process.address}/v1/chat/completions", json=body) as answer:
        pieces = answer.iter_text()
        next(pieces)
        process.process.send_signal(signal.SIGTERM)
        text = "".join(pieces)
    assert text.endswith("data: [DONE]\n\n")
    output = process.output(20)
    assert process.process.returncode == 0, output
    (receipt,) = map(json.loads, process.receipts.read_text().splitlines())
    assert (receipt["out"], receipt["finish_reason"]) == (200, "length")
    assert "memory plan" in output
    assert "pears" not in output


def test_a_cache_that_does_not_fit_names_its_flag(
    launch: Callable[..., Process], folders: dict[str, Path]
) -> None:
    process = launch("--model", str(folders["chat"]), "--kv-gib", "99999")
    output = process.output(60)
    assert process.process.returncode == 3
    assert "--kv-gib 99999 does not fit" in output
    assert "Traceback" not in output


def test_bfloat16_is_refused_where_it_would_be_slow(
    launch: Callable[..., Process], folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    process = launch("--model", str(folders["chat"]), "--dtype", "bfloat16")
    output = process.output(60)
    assert process.process.returncode == 3
    assert "Leave --dtype out" in output
