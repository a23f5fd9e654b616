"""A started model server, as a process of its own."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[3]


class Process:
    """A started server and what it printed until it was ready."""

    def __init__(self, options: list[str], folder: Path) -> None:
        self.receipts = folder / "receipts.jsonl"
        # A file: nobody empties a pipe while two hundred requests are logged.
        self.log = folder / f"log-{time.monotonic_ns()}"
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "inference", "serve", "--port", "0", "--threads", "1"),
                    *("--receipts-file", str(self.receipts), *options),
                ],
                cwd=ROOT,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.address = ""

    def until_ready(self) -> "Process":
        for _ in range(1200):
            lines = self.log.read_text().splitlines()
            assert self.process.poll() is None, lines
            if lines and not self.address:
                self.address = f"http://127.0.0.1:{json.loads(lines[0])['port']}"
            if self.address and httpx.get(f"{self.address}/readyz").status_code == 200:
                return self
            threading.Event().wait(0.05)
        raise AssertionError("the server never became ready")

    def ask(self, **fields: Any) -> dict[str, Any]:
        body = {"model": "tiny-chat", "messages": [{"role": "user", "content": "hi"}]} | fields
        answer = httpx.post(f"{self.address}/v1/chat/completions", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def output(self, timeout_s: float) -> str:
        """Everything it printed, once it has ended by itself."""
        self.process.wait(timeout_s)
        return self.log.read_text()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
