"""The real process: `python -m inference serve` with the packaged model."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(*options: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "inference", "serve", "--port", "0", "--threads", "1"),
                *("--receipts-file", str(tmp_path / "receipts.jsonl"), *options),
            ],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def address_of(process: subprocess.Popen[str]) -> str:
    """The address from the first log line, once the server is ready."""
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    address = f"http://127.0.0.1:{line['port']}"
    for _ in range(600):
        if httpx.get(f"{address}/readyz").status_code == 200:
            return address
        threading.Event().wait(0.05)
    raise AssertionError("the server never became ready")


@pytest.mark.slow
def test_sigterm_finishes_accepted_work_and_leaves_a_receipt(start: Start, tmp_path: Path) -> None:
    process = start()
    address = address_of(process)
    body = {
        "model": "all-MiniLM-L6-v2",
        "input": ["the deposit is returned within thirty days " * 20] * 64,
        "encoding_format": "base64",
    }
    with ThreadPoolExecutor(1) as pool:
        accepted = pool.submit(httpx.post, f"{address}/v1/embeddings", json=body, timeout=60)
        while 'priority="batch"} 0.0' in httpx.get(f"{address}/metrics").text:
            assert not accepted.done()
        process.send_signal(signal.SIGTERM)
        answer = accepted.result(timeout=60)
    assert answer.status_code == 200
    assert len(answer.json()["data"]) == 64
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0, output
    (receipt,) = map(json.loads, (tmp_path / "receipts.jsonl").read_text().splitlines())
    assert receipt["in_miss"] == answer.json()["usage"]["prompt_tokens"]
    assert "deposit" not in output


@pytest.mark.slow
def test_a_client_that_leaves_stops_its_waiting_work(start: Start) -> None:
    address = address_of(start())
    body = {"model": "all-MiniLM-L6-v2", "input": ["apples and pears " * 80] * 128}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{address}/v1/embeddings", json=body, timeout=httpx.Timeout(10, read=0.4))
    deadline = time.monotonic() + 20
    while not (receipts := httpx.get(f"{address}/receipts").json()["receipts"]):
        assert time.monotonic() < deadline
    assert receipts[0]["finish_reason"] == "cancelled"
    assert receipts[0]["in_miss"] < 128 * 242


@pytest.mark.slow
def test_a_taken_port_is_a_plain_sentence(start: Start) -> None:
    process = start()
    assert process.stdout is not None
    port = json.loads(process.stdout.readline())["port"]
    second = start("--port", str(port))
    output, _ = second.communicate(timeout=20)
    assert second.returncode == 2
    assert output.startswith("inference: The server cannot listen on 127.0.0.1 port")
    assert "Traceback" not in output


@pytest.mark.slow
def test_a_refused_folder_ends_the_start_with_its_reason(start: Start, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"hidden_size": 8, "auto_map": {}}')
    process = start("--embedding-model", str(tmp_path))
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "code of its own" in output


@pytest.mark.slow
def test_a_hub_model_that_cannot_be_had_ends_the_start(start: Start, tmp_path: Path) -> None:
    process = start(
        *("--embedding-model", "nobody/no-such-model"), HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path)
    )
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "nobody/no-such-model could not be fetched" in output
    assert "Traceback" not in output
