"""A business that uses the product over HTTP, and readers that follow its answers."""

import json
import re
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.faults.product import Product, until

FINAL = {"done", "error"}
SETTLED = {"ready", "failed"}
QUESTIONS = (
    "赔付需要几张照片？",
    "收货后多久可以申请赔付？",
    "偏远地区几天送到？",
    "如何联系人工？",
)


class Business:
    """A tenant with one knowledge base and an API key. Only what was acknowledged is counted on."""

    def __init__(self, product: Product, name: str) -> None:
        shown = product.manage(
            "create_tenant", name, "--email", f"{name}@faults.test", "--slug", name, "--api-key"
        )
        key = re.search(r"API key:\s+(\S+)", shown)
        assert key is not None
        self.name, self.product = name, product
        self.headers = {"Authorization": f"Bearer {key.group(1)}"}
        self.http = httpx.Client(
            base_url=f"{product.url}/api/v1", headers=self.headers, timeout=20, trust_env=False
        )
        self.base_id = self.post("/knowledge-bases", {"name": name, "language": "zh-hans"})["id"]

    def __enter__(self) -> "Business":
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.http.post(path, json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def get(self, path: str, language: str = "en") -> dict[str, Any]:
        answer = self.http.get(path, headers={"Accept-Language": language})
        assert answer.is_success, answer.text
        return dict(answer.json())

    def upload(self, path: Path, name: str = "") -> str:
        with path.open("rb") as file:
            files = {"file": (name or path.name, file)}
            answer = self.http.post(f"/knowledge-bases/{self.base_id}/documents", files=files)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def document(self, document_id: str, language: str = "en") -> dict[str, Any]:
        return self.get(f"/documents/{document_id}", language)

    def settled(self, ids: Iterable[str], within_s: float) -> dict[str, dict[str, Any]]:
        """The documents once each is ready or failed."""
        waiting, found = list(ids), {}
        deadline = time.monotonic() + within_s
        while waiting and time.monotonic() < deadline:
            for document_id in list(waiting):
                try:
                    row = self.document(document_id)
                except (httpx.HTTPError, AssertionError):
                    continue
                if row["status"] in SETTLED:
                    found[document_id] = row
                    waiting.remove(document_id)
            time.sleep(0.2)
        assert not waiting, [self.document(document_id) for document_id in waiting]
        return found

    def search(self, query: str, mode: str = "hybrid") -> dict[str, Any]:
        body = {"query": query, "limit": 20, "mode": mode}
        return self.post(f"/knowledge-bases/{self.base_id}/search", body)

    def assistant(self, settings: dict[str, Any] | None = None) -> str:
        body = {"name": "desk", "template": "general", "knowledge_base_ids": [self.base_id]}
        body |= {"settings": settings} if settings else {}
        assistant_id = str(self.post("/assistants", body)["id"])
        self.post(f"/assistants/{assistant_id}/publications", {})
        return assistant_id

    def conversation(self, assistant_id: str) -> str:
        return str(self.post(f"/assistants/{assistant_id}/conversations", {})["id"])

    def ask(self, assistant_id: str, count: int) -> "list[Reader]":
        """So many conversations with a question each, and a reader that follows its answer through every break."""
        readers = [
            Reader(self, self.conversation(assistant_id), QUESTIONS[n % len(QUESTIONS)])
            for n in range(count)
        ]
        for reader in readers:
            reader.start()
        return readers


@dataclass
class Reader(threading.Thread):
    """A client on a bad line: asks under one idempotency key, and after every break again, with the id of the last
    event it saw, until a final event comes.
    """

    business: Business
    conversation_id: str
    text: str
    within_s: float = 75.0
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    last_id: str = ""
    breaks: int = 0
    seconds: float = 0.0
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    @property
    def url(self) -> str:
        return f"{self.business.http.base_url}conversations/{self.conversation_id}/messages"

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        began = time.monotonic()
        while not self.is_final and time.monotonic() - began < self.within_s:
            try:
                self._follow()
            except (httpx.HTTPError, OSError):
                self.breaks += 1
                time.sleep(0.2)
        self.seconds = time.monotonic() - began

    @property
    def is_final(self) -> bool:
        return bool(self.events) and self.events[-1][0] in FINAL

    @property
    def answers(self) -> list[str]:
        """Those that were not taken back."""
        names = [name for name, _ in self.events]
        start = len(names) - names[::-1].index("reset") if "reset" in names else 0
        return [str(data["text"]) for name, data in self.events[start:] if name == "answer"]

    def _follow(self) -> None:
        headers = {"Idempotency-Key": self.key, "Accept": "text/event-stream"}
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        with (
            httpx.Client(headers=self.business.headers, timeout=25, trust_env=False) as http,
            http.stream("POST", self.url, json={"text": self.text}, headers=headers) as answer,
        ):
            answer.raise_for_status()
            self._read(answer)

    def _read(self, answer: httpx.Response) -> None:
        frame: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                frame[name] = value
                continue
            if "event" in frame:
                self.last_id = frame.get("id", self.last_id)
                self.events.append((frame["event"], json.loads(frame["data"])))
            frame = {}
        if not self.is_final:
            self.breaks += 1


def finish(readers: list[Reader], within_s: float) -> float:
    """Waits for all, and holds that each got one answer, the one that is stored, and one end. The seconds of the
    slowest.
    """
    ended = until(lambda: not any(r.is_alive() for r in readers), within_s=within_s)
    assert ended, "a reader hangs"
    for reader in readers:
        names = [name for name, _ in reader.events]
        assert names.count("done") + names.count("error") == 1, names
        kept = reader.business.get(f"/conversations/{reader.conversation_id}/messages")["items"]
        assert len(kept) == 1, "a question was stored twice"
        if names[-1] == "done":
            assert reader.answers == [kept[0]["text"]]
            assert kept[0]["text"]
        else:
            assert reader.events[-1][1]["message"]
    return max(reader.seconds for reader in readers)
