"""The field: a phone on 2G that loses three requests in ten and is without network for a minute. Nothing lost, nothing twice."""

import random
import socket
import socketserver
import threading
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.channels.widget_js.conftest import Shop
from tests.channels.widget_js.test_people import PHOTO

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(420)]
ANSWER = "Claims are taken within 48 hours of delivery."
LOSS = 0.3
# As the developer tools of browsers have it.
SECOND_GENERATION = {
    "offline": False,
    "latency": 800,
    "downloadThroughput": 280 * 1024 / 8,
    "uploadThroughput": 256 * 1024 / 8,
}


class Lossy(socketserver.ThreadingTCPServer):
    """Stands between browser and server. Of the calls it sees, three in ten are lost: half before the server hears of
    them, half on the way back, in the middle of the answer.
    """

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Wire)
        self.target, self.dice = target, random.Random(7)
        self.is_lossy, self.lost, self.seen = False, 0, 0
        self.turn = threading.Lock()

    def fate(self) -> str:
        with self.turn:
            self.seen += 1
            roll = self.dice.random()
            if not self.is_lossy or roll >= LOSS:
                return "arrives"
            self.lost += 1
            return "unheard" if roll < LOSS / 2 else "unanswered"


class Wire(socketserver.BaseRequestHandler):
    server: Lossy

    def handle(self) -> None:
        with closing(socket.create_connection(self.server.target)) as far:
            self.far, self.fate = far, "arrives"
            back = threading.Thread(target=self.answers, daemon=True)
            back.start()
            self.calls()
            back.join(30)

    def calls(self) -> None:
        try:
            while data := self.request.recv(65536):
                if b" /widget/api/" in data[:200]:
                    self.fate = self.server.fate()
                if self.fate == "unheard":
                    break
                self.far.sendall(data)
        except OSError:
            pass
        self.cut()

    def answers(self) -> None:
        try:
            while data := self.far.recv(65536):
                if self.fate == "unanswered":
                    self.request.sendall(data[: len(data) // 2])
                    break
                self.request.sendall(data)
        except OSError:
            pass
        self.cut()

    def cut(self) -> None:
        for end in (self.request, self.far):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


@pytest.fixture
def lossy(shop: Shop) -> Any:
    host, _, port = shop.host.removeprefix("http://").partition(":")
    server = Lossy((host, int(port)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    shop.host = f"http://127.0.0.1:{server.server_address[1]}"
    yield server
    server.shutdown()
    server.server_close()


def ask(page: Any, text: str) -> None:
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")


def test_nothing_is_lost_and_nothing_comes_twice(shop, lossy, backend, context):
    page = shop.open()
    context.set_default_timeout(120_000)
    page.get_by_role("button", name="Open the chat").click()
    expect(page.get_by_text("Hello! Ask us about apples")).to_be_visible(timeout=30_000)
    wire = context.new_cdp_session(page)
    wire.send("Network.emulateNetworkConditions", SECOND_GENERATION)
    lossy.is_lossy = True
    said = [f"message {number}" for number in range(1, 6)]
    page.locator("furrow-widget input[type=file]").set_input_files([PHOTO])
    expect(page.locator("furrow-widget .thumb")).to_have_count(1)
    for text in said:
        ask(page, text)
    expect(page.get_by_text(ANSWER)).to_have_count(5, timeout=150_000)
    backend.says("A word of staff on a bad line")
    context.set_offline(True)
    # Both: the throttled session would let calls through on its own.
    wire.send("Network.emulateNetworkConditions", {**SECOND_GENERATION, "offline": True})
    ask(page, "message 6")
    ask(page, "message 7")
    backend.says("A word while you were away")
    page.wait_for_timeout(60_000)
    expect(page.get_by_text("No network.")).to_be_visible()
    assert len(backend.turns) == 5
    wire.send("Network.emulateNetworkConditions", SECOND_GENERATION)
    context.set_offline(False)
    expect(page.get_by_text(ANSWER)).to_have_count(7, timeout=150_000)
    for words in ("A word of staff on a bad line", "A word while you were away"):
        expect(page.get_by_text(words)).to_have_count(1, timeout=60_000)
    assert [turn.text for turn in backend.turns] == [f"message {n}" for n in range(1, 8)]
    assert [len(turn.photos) for turn in backend.turns] == [1, 0, 0, 0, 0, 0, 0]
    assert list(backend.photos.values()) == [PHOTO["buffer"]]
    shown = page.locator("furrow-widget article.visitor .bubble").all_inner_texts()
    assert shown == [turn.text for turn in backend.turns]
    assert page.locator("furrow-widget .problem").count() == 0
    assert lossy.lost >= 0.15 * lossy.seen > 2
    print(f"{lossy.lost} of {lossy.seen} calls were lost")  # noqa: T201  the figure of the run
