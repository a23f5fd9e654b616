"""Receipts are read strictly: typed, in order, all or none."""

from datetime import UTC, datetime

import pytest

from furrow.core.errors import UpstreamFailed
from furrow.metering.counts import Counts
from furrow.metering.receipt_pages import (
    OWN,
    OWN_CHAT,
    chat_source,
    page_fetch,
    receipt_sources,
    receipts_client,
)
from tests import fixtures_chat

_chat_process = fixtures_chat._chat_process
chat_server = fixtures_chat.chat_server


def row(seq: int, **more) -> dict:
    return {
        "boot_id": "boot",
        "seq": seq,
        "request_id": f"chat-{seq}",
        "tenant": "tag",
        "kind": "chat",
        "model": "fake-chat",
        "in_hit": 4,
        "in_miss": 6,
        "out": 2,
        "reasoning": 1,
        "busy_us": 1500,
        "finish_reason": "stop",
        "started_at": "2026-11-01T10:00:00+00:00",
        "first_token_at": None,
        "finished_at": "2026-11-01T10:00:01.5+00:00",
    } | more


def page(*rows: dict, **more) -> dict:
    last = rows[-1]["seq"] if rows else 7
    return {
        "boot_id": "boot",
        "last_seq": last,
        "receipts": list(rows),
        "next_after": last,
        "has_more": False,
    } | more


def receipts_after(seq: int, **options):
    with receipts_client(OWN_CHAT) as client:
        return page_fetch(client, after=seq, **options)


def test_receipts_come_typed_from_beside_the_api(chat_server):
    chat_server.receipts = page(row(8), row(10), has_more=True)
    found = receipts_after(7, limit=2)
    assert [receipt.seq for receipt in found.receipts] == [8, 10]
    assert (found.last_seq, found.has_more) == (10, True)
    receipt = found.receipts[0]
    assert receipt.counts == Counts(4, 6, 2, 1)
    assert receipt.finished_at == datetime(2026, 11, 1, 10, 0, 1, 500_000, UTC)
    [request] = chat_server.requests
    assert request["query"] == {"after": "7", "limit": "2"}
    assert request["headers"]["authorization"] == "Bearer chat-key"


def test_nothing_new_is_an_empty_page(chat_server):
    chat_server.receipts = page()
    found = receipts_after(7)
    assert (found.receipts, found.last_seq, found.has_more) == ((), 7, False)


@pytest.mark.parametrize(
    "wrong",
    [
        page(row(8, in_hit=-1)),
        page(row(8, out="2")),
        page(row(8, busy_us=None)),
        page(row(8, request_id=None)),
        page(row(8, started_at="2026-11-01T10:00:00")),
        page(row(8), row(8)),
        page(row(9), row(8)),
        page(row(7)),
        page(row(8), next_after=9),
        {"receipts": [row(8)]},
        [],
        None,
    ],
)
def test_anything_odd_loses_no_receipt_but_stops(chat_server, wrong):
    chat_server.receipts = wrong
    with pytest.raises(UpstreamFailed) as caught:
        receipts_after(7)
    assert (caught.value.code, caught.value.permanent) == ("receipts_unusable", True)


def test_absent_server_can_be_asked_again(chat_server, settings):
    settings.CHAT_URL = "http://127.0.0.1:9/v1"
    with pytest.raises(UpstreamFailed) as caught:
        receipts_after(0)
    assert not caught.value.permanent


def test_each_server_of_ours_is_read_under_its_own_name(chat_server, settings):
    assert (chat_source(), receipt_sources()) == (OWN_CHAT, (OWN, OWN_CHAT))
    settings.EMBEDDINGS_URL = settings.CHAT_URL
    assert (chat_source(), receipt_sources()) == (OWN, (OWN,))


def test_other_servers_have_none(chat_server, settings):
    settings.CHAT_DIALECT = "vllm"
    assert (chat_source(), receipt_sources()) == ("vllm", (OWN,))
