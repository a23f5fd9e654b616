"""The web server is killed under its readers."""

import time

import pytest

from tests.faults.client import Business, finish
from tests.faults.product import Product, is_alive, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(120)]


def test_readers_come_back_with_their_last_event_id(
    product: Product, shop: Business, desk: str, say: dict[str, float]
) -> None:
    readers = shop.ask(desk, 12)
    worker = product.running("web").children()[0]
    worker.kill()
    say["slowest answer when a web process died, s"] = finish(readers, 30)


def test_web_server_is_back_after_a_kill(
    product: Product, shop: Business, desk: str, say: dict[str, float]
) -> None:
    readers = shop.ask(desk, 12)
    left = product.running("web").children()
    old = product.kill("web")
    began = time.monotonic()
    assert until(lambda: product.restarted("web", old), within_s=20)
    assert until(lambda: not any(is_alive(process) for process in left), within_s=5)
    assert until(product.is_healthy, within_s=20)
    say["web back, s"] = time.monotonic() - began
    say["slowest answer, s"] = finish(readers, 30)


def test_a_finished_answer_can_be_followed_again(shop: Business, desk: str) -> None:
    reader = shop.ask(desk, 1)[0]
    finish([reader], 20)
    answer = next(data for name, data in reader.events if name == "answer")
    address = f"/turns/{answer['id']}/events"
    for last_id in ("", reader.last_id, "9-9"):
        headers = {"Last-Event-ID": last_id} if last_id else {}
        told = shop.http.get(address, headers=headers).text
        assert told.count("event: done") == 1
        assert answer["text"][:10] in told
