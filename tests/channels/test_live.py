"""The widget's API over real connections: many at once, and streams that hold nothing."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.db import connection, connections

from furrow.conversations.models import Turn
from furrow.conversations.streams import publish
from furrow.core.context import tenant_tx
from furrow.tenants.services import tenant_create
from tests.channels.conftest import QUESTION, SITE, Shop, shop_make, shop_stock
from tests.channels.live import committed_rows, serving_django, working

pytestmark = pytest.mark.timeout(120)


@dataclass
class Live:
    shop: Shop
    http: httpx.Client

    def ask(self, text: str, key: str = "") -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.http.post("messages", json={"text": text}, headers=headers)

    def turns(self) -> list[Turn]:
        with tenant_tx(self.shop.tenant.id):
            return list(Turn.objects.order_by("number"))


@pytest.fixture
def live(django_db_setup: None, django_db_blocker: Any, settings: Any) -> Iterator[Live]:
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    with committed_rows(django_db_blocker):
        shop = shop_stock(shop_make(tenant_create(name="Live", slug="live-widget")))
        connections.close_all()
        pool = httpx.Limits(max_connections=120)
        with (
            serving_django() as host,
            httpx.Client(base_url=f"{host}/widget/api/", limits=pool, timeout=60) as http,
        ):
            http.headers["Origin"] = SITE
            body = {"assistant": shop.widget.public_key, "lang": "zh"}
            token = http.post("sessions", json=body).json()["token"]
            http.headers["Authorization"] = f"Bearer {token}"
            yield Live(shop, http)


@pytest.mark.slow
def test_of_a_hundred_messages_at_once_exactly_the_allowed_ones_pass(live):
    live.shop.change(messages_per_minute=7)
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda n: live.ask(f"问题 {n}").status_code, range(100)))
    assert sorted(set(answers)) == [202, 429]
    assert answers.count(202) == len(live.turns()) == 7
    assert [turn.number for turn in live.turns()] == list(range(1, 8))
    assert len({turn.conversation_id for turn in live.turns()}) == 1


def test_of_twenty_equal_messages_at_once_one_is_stored(live):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: live.ask(QUESTION, "one-key"), range(20)))
    assert {answer.status_code for answer in answers} <= {202, 425}
    said = {answer.json()["turn_id"] for answer in answers if answer.status_code == 202}
    assert said == {str(turn.id) for turn in live.turns()}
    assert len(said) == 1
    assert live.ask(QUESTION, "one-key").json()["turn_id"] in said


def follow(live: Live, turn_id: str, opened: threading.Semaphore) -> str:
    with live.http.stream("GET", f"turns/{turn_id}/events") as response:
        assert response.headers["Access-Control-Allow-Origin"] == SITE
        opened.release()
        return "".join(response.iter_text())


def connections_held() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND usename = current_user"
        )
        return int(cursor.fetchone()[0])


def test_open_streams_hold_no_database_connection_and_all_hear_the_answer(live):
    turn_id = live.ask(QUESTION).json()["turn_id"]
    # With something to tell at once, a reader has no reason to look at the row for a while.
    publish(live.shop.tenant.id, turn_id, "status", {"stage": "queued"})
    opened = threading.Semaphore(0)
    readers = 12
    with ThreadPoolExecutor(readers) as pool:
        heard = [pool.submit(follow, live, turn_id, opened) for _ in range(readers)]
        for _ in range(readers):
            assert opened.acquire(timeout=30)
        # A reader looks at the row as it begins, and on a busy machine several do so at one moment. What
        # holds a connection goes on holding it.
        until = time.monotonic() + 5
        while (held := connections_held()) >= readers / 2 and time.monotonic() < until:
            time.sleep(0.05)
        connection.close()
        with working():
            texts = [each.result(60) for each in heard]
    assert held < readers / 2
    for text in texts:
        assert "24 小时内拍照" in text
        assert text.rstrip().endswith("event: done\ndata: {}")
