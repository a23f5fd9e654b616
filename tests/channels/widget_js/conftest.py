"""A browser, a shop's page on one port and a stand-in for the Furrow server on another."""

import contextlib
import gzip
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

STATIC = Path(__file__).parents[3] / "platform/furrow/channels/static/widget"
CITATION = {
    "n": 1,
    "document_title": "Shipping and claims.pdf",
    "page": 3,
    "quote": "Claims are taken within 48 hours of delivery.",
    "start": 10,
    "end": 55,
    "document_id": "doc_1",
}


@dataclass
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Turn:
    id: str
    text: str
    events: list[tuple[str, dict[str, Any]]]
    number: int = 0
    photos: list[dict[str, Any]] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    is_done: bool = False

    def answer(self) -> dict[str, Any] | None:
        found = [data for name, data in self.events if name == "answer"]
        return found[0] if found else None


def answer_events(
    text: str, citations: list[dict[str, Any]] | None = None, *, suggestions: tuple[str, ...] = ()
) -> list[tuple[str, dict[str, Any]]]:
    """Status, the text in small pieces, the answer, done."""
    pieces = re.findall(r"(?s).{1,4}", text)
    final = {"id": "a", "rung": "quoted", "text": text, "citations": citations or []}
    final["suggestions"] = list(suggestions)
    return [
        ("status", {"stage": "queued"}),
        ("status", {"stage": "searching"}),
        *(("delta", {"text": piece}) for piece in pieces),
        ("answer", final),
        ("done", {}),
    ]


class Backend:
    """The contract of the widget's server side, kept in memory and told what to answer."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.assets: list[str] = []
        self.turns: list[Turn] = []
        self.keys: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.allowed: set[str] = set()
        self.answers: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        self.cuts: list[int] = []
        self.state = "bot"
        self.refusals: list[int] = []
        self.messages: list[dict[str, Any]] = []
        self.status: dict[str, Any] | None = None
        self.asks_csat = False
        self.photos: dict[str, bytes] = {}
        self.cards: list[dict[str, str]] = []
        self.unread: dict[str, Any] = {"unread": 0, "name": "", "text": "", "watch": False}
        self.now = "2099-01-01T08:00:00Z"
        self.customer: dict[str, str] | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.passage = {
            "title": CITATION["document_title"],
            "page": 3,
            "text": "🍎 Before. Claims are taken within 48 hours of delivery. Send a photo.",
            "quote_start": 10,
            "quote_end": 55,
        }
        self.config: dict[str, Any] = {
            "name": "Hillside Orchard",
            "greeting": "Hello! Ask us about apples, shipping and claims.",
            "color": "#2f6b3c",
            "suggestions": ["How long can I claim?", "Do you ship to Beijing?"],
            "languages": ["zh", "en"],
            "avatar_text": "H",
            "human_available": False,
            "hours_note": "Mon-Sat 9:00-18:00",
        }

    def made(self, method: str, path: str) -> list[Call]:
        return [call for call in self.calls if call.method == method and call.path == path]

    def revoke(self) -> None:
        self.tokens.clear()

    def says(self, text: str, name: str = "小王") -> None:
        """A member writes; the feed tells it."""
        number = len(self.messages) + 1
        after = self.turns[-1].number if self.turns else 0
        row = {"id": f"m{number}", "number": number, "name": name, "text": text}
        self.messages.append(
            {**row, "author": "staff", "after_turn": after, "created_at": self.now}
        )

    def photo(self, data: bytes, key: str) -> str:
        if key not in self.keys:
            self.keys[key] = f"p{len(self.photos) + 1}"
            self.photos[self.keys[key]] = data
        return self.keys[key]

    def message(self, text: str, key: str, photos: list[str] | None = None) -> str:
        if key not in self.keys:
            events = self.answers.get(text) or answer_events(
                "Claims are taken within 48 hours of delivery. [1]", [CITATION]
            )
            number = len(self.turns) + 1
            shown = [{"id": each, "width": 4, "height": 3} for each in photos or []]
            turn = Turn(f"t{number}", text, events, number, shown, self.cuts)
            self.turns.append(turn)
            self.keys[key] = turn.id
        return self.keys[key]

    def turn(self, turn_id: str) -> Turn:
        return next(turn for turn in self.turns if turn.id == turn_id)

    def history(self) -> dict[str, Any]:
        rows = [
            {
                "id": turn.id,
                "text": turn.text,
                "status": "done" if turn.is_done else "running",
                "answer": turn.answer() if turn.is_done else None,
                "number": turn.number,
                "photos": turn.photos,
                "created_at": self.now,
            }
            for turn in self.turns
        ]
        shared = {"id": "c1", "messages": self.messages, "status": self.status}
        return {**shared, "turns": rows, "state": self.state}


class Reply(BaseHTTPRequestHandler):
    """What both servers share: bodies of known length on kept-open connections."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Silence: the tests read `backend.calls`."""

    def send_body(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


class BackendHandler(Reply):
    backend: Backend

    def do_OPTIONS(self) -> None:
        allow = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
        self.send_body(
            204,
            "text/plain",
            b"",
            **self.cors(),
            Access_Control_Allow_Headers=allow,
            Access_Control_Allow_Methods="GET, POST",
            Access_Control_Max_Age="600",
        )

    def cors(self) -> dict[str, str]:
        return {
            "Access_Control_Allow_Origin": self.headers.get("Origin", "null"),
            "Access_Control_Expose_Headers": "Retry-After",
        }

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if not path.startswith("/widget/api/"):
            return self.asset(path)
        self.note(path, {})
        if not self.is_known():
            return None
        if found := re.fullmatch(r"/widget/api/turns/(\w+)/events", path):
            return self.stream(self.backend.turn(found[1]))
        if path.startswith("/widget/api/citations/"):
            return self.json(200, self.backend.passage)
        if path.endswith("/cards"):
            return self.json(200, {"cards": self.backend.cards})
        if path.startswith("/widget/api/photos/"):
            data = self.backend.photos[path.rpartition("/")[2]]
            return self.send_body(200, "image/jpeg", data, **self.cors())
        if path == "/widget/api/feed":
            return self.feed()
        return self.json(200, self.backend.history())

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_json = self.headers.get("Content-Type") == "application/json"
        body = json.loads(data or b"{}") if is_json else {}
        path = self.path
        self.note(path, body)
        if path == "/widget/api/sessions":
            return self.session()
        if path == "/widget/api/unread":
            return self.json(200, self.backend.unread)
        if not self.is_known():
            return None
        if self.backend.refusals:
            return self.json(self.backend.refusals.pop(0), {"error": {"code": "oops"}})
        if path == "/widget/api/messages":
            turn_id = self.backend.message(
                body["text"], self.headers["Idempotency-Key"], body.get("photos")
            )
            turn = self.backend.turn(turn_id)
            is_persons = (self.backend.status or {}).get("owner") == "person"
            told = {"number": turn.number, "conversation_id": "c1"}
            by = "person" if is_persons else "assistant"
            return self.json(202, {"turn_id": turn_id, **told, "answered_by": by})
        if path == "/widget/api/photos":
            photo_id = self.backend.photo(data, self.headers["Idempotency-Key"])
            return self.json(201, {"id": photo_id, "width": 4, "height": 3})
        if path == "/widget/api/transcript":
            return self.json(202, {"message": "It is on its way."})
        if path == "/widget/api/handoff":
            self.backend.state = "waiting"
            return self.json(201, {"ticket_id": "T-7", "message": "We will call you back."})
        return self.json(200, {})

    def note(self, path: str, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.backend.calls.append(Call(self.command, path, headers, body))

    def is_known(self) -> bool:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token in self.backend.tokens:
            return True
        self.json(401, {"error": {"code": "session_expired", "message": "expired"}})
        return False

    def session(self) -> None:
        if self.headers.get("Origin") not in self.backend.allowed:
            refusal = {"error": {"code": "origin_not_allowed", "message": "not on the list"}}
            return self.json(403, refusal)
        token = f"tok{len(self.backend.made('POST', '/widget/api/sessions'))}"
        self.backend.tokens.add(token)
        return self.json(
            201,
            {
                "token": token,
                "expires_at": "2030-01-01T00:00:00Z",
                "visitor": "visitor-1",
                "conversation_id": "c1" if self.backend.turns else None,
                "asks_csat": self.backend.asks_csat,
                "customer": self.backend.customer,
                "config": self.backend.config,
            },
        )

    def stream(self, turn: Turn) -> None:
        self.backend.gate.wait(20)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        for name, value in self.cors().items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        last = int(self.headers.get("Last-Event-ID") or 0)
        left = turn.cuts.pop(0) if turn.cuts else None
        self.wfile.write(b": keep-alive\n\n")
        for number, (name, data) in list(enumerate(turn.events, 1))[last:]:
            whole = f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode()
            if left == 0:
                # The cut falls inside an event, as a real one does.
                self.wfile.write(whole[: len(whole) // 2])
                break
            self.wfile.write(whole)
            self.wfile.flush()
            left = None if left is None else left - 1
        else:
            turn.is_done = True
        self.close_connection = True

    def feed(self) -> None:
        """As the server: first the state, then messages after the one the reader has, for a short while."""
        after = int(self.path.partition("after=")[2] or 0)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        for name, value in self.cors().items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        told: Any = object()
        for _ in range(40):
            if self.backend.status and self.backend.status != told:
                told = dict(self.backend.status)
                self.event("status", told)
            for message in [row for row in self.backend.messages if row["number"] > after]:
                after = message["number"]
                self.event("message", message, after)
            if self.backend.asks_csat:
                self.event("csat.ask", {"conversation_id": "c1"})
                break
            time.sleep(0.05)
        self.close_connection = True

    def event(self, name: str, data: dict[str, Any], number: int = 0) -> None:
        head = f"id: {number}\n" if number else ""
        self.wfile.write(f"{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def json(self, status: int, body: dict[str, Any]) -> None:
        self.send_body(status, "application/json", json.dumps(body).encode(), **self.cors())

    def asset(self, path: str) -> None:
        self.backend.assets.append(self.path)
        file = STATIC / path.removeprefix("/widget/")
        if not file.is_file():
            return self.send_body(404, "text/plain", b"")
        body = gzip.compress(file.read_bytes())
        return self.send_body(
            200,
            "text/javascript; charset=utf-8",
            body,
            Access_Control_Allow_Origin="*",
            Content_Encoding="gzip",
        )


class PageHandler(Reply):
    pages: dict[str, tuple[str, str]]

    def do_GET(self) -> None:
        html, policy = self.pages.get(self.path, ("", ""))
        headers = {"Content_Security_Policy": policy} if policy else {}
        self.send_body(200 if html else 404, "text/html; charset=utf-8", html.encode(), **headers)


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Shop:
    """The shop's website; `open` puts a page with the widget's tag on it and visits it."""

    origin: str
    host: str
    pages: dict[str, tuple[str, str]]
    page: Page

    def open(
        self, attributes: str = "", *, lang: str = "en", policy: str = "", body: str = ""
    ) -> Page:
        tag = f'<script src="{self.host}/widget/v1.js" data-assistant="pub_1" {attributes} async></script>'
        html = (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Shop</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<link rel="icon" href="data:,"></head><body>{body or "<h1>Apples</h1>"}{tag}</body></html>'
        )
        self.pages["/"] = (html, policy)
        self.page.goto(self.origin)
        self.page.wait_for_function("window.FurrowWidget !== undefined")
        return self.page


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def make_events() -> Callable[..., list[tuple[str, dict[str, Any]]]]:
    return answer_events


@pytest.fixture
def citation() -> dict[str, Any]:
    return dict(CITATION)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # One browser per module, not per session: while it lives its event loop would make
    # Django refuse the database to every other test of the run.
    found = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if not found:
        pytest.skip("no Chromium was found; install the distribution's chromium package")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def shop(backend: Backend, context: BrowserContext) -> Iterator[Shop]:
    pages: dict[str, tuple[str, str]] = {}
    server = type("BoundBackend", (BackendHandler,), {"backend": backend})
    site = type("BoundPages", (PageHandler,), {"pages": pages})
    with serving(server) as host, serving(site) as origin:
        backend.allowed = {origin}
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        yield Shop(origin, host, pages, page)
        context.set_offline(False)
        page.close()
    assert not problems, f"errors on the page: {problems}"
