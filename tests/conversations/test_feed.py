"""The visitor's feed: each message once, in order, from wherever the reader stopped; notes never."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from furrow.conversations import bell, desk, feed, replies
from furrow.core.context import tenant_tx
from furrow.core.redis import sync_redis
from furrow.tenants.services import Actor
from tests.conversations.chats import Chat


@pytest.fixture
def talk(bare_chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Chat:
    monkeypatch.setattr(feed, "LOOK_S", 0.05)
    return bare_chat


def told(talk: Chat, *, after: int = 0, limit: int) -> list[tuple[str, str, Any]]:
    """The first `limit` events as (name, id, data)."""

    async def read() -> list[str]:
        found: list[str] = []
        reader = feed.feed(talk.tenant_id, talk.conversation.id, after)
        async for frame in reader:
            if not frame.startswith(b":"):
                found.append(frame.decode())
            if len(found) == limit:
                await reader.aclose()
                break
        return found

    return [_parsed(frame) for frame in async_to_sync(read)()]


def _parsed(frame: str) -> tuple[str, str, Any]:
    fields = dict(line.split(": ", 1) for line in frame.strip().splitlines())
    return fields["event"], fields.get("id", ""), json.loads(fields["data"])


def written(talk: Chat, user: Any, *texts: str) -> None:
    with tenant_tx(talk.tenant_id):
        for text in texts:
            replies.reply_send(user=user, conversation=talk.conversation, text=text)


def test_a_reader_that_comes_back_gets_only_what_it_missed(cast, talk):
    written(talk, cast.owner, "one", "two", "three")
    everything = told(talk, limit=4)
    assert [(name, event_id) for name, event_id, _ in everything] == [
        ("message", "1"),
        ("message", "2"),
        ("message", "3"),
        ("status", ""),
    ]
    missed = told(talk, after=2, limit=2)
    assert [data.get("text") for _, _, data in missed] == ["three", None]


def test_notes_are_not_in_it_and_leave_no_hole_that_stops_a_reader(cast, talk):
    written(talk, cast.owner, "one")
    with tenant_tx(talk.tenant_id):
        replies.note_add(user=cast.owner, conversation=talk.conversation, text="secret")
    written(talk, cast.owner, "two")
    found = told(talk, limit=3)
    assert [data.get("text") for _, _, data in found] == ["one", "two", None]
    assert "secret" not in json.dumps(found)


def test_a_closed_conversation_asks_how_it_was(cast, talk):
    written(talk, cast.owner, "bye")
    with tenant_tx(talk.tenant_id):
        desk.conversation_end(actor=Actor.user(cast.owner), conversation=talk.conversation)
    names = [name for name, _, _ in told(talk, limit=3)]
    assert names == ["message", "status", "csat.ask"]


def test_without_redis_the_rows_still_tell(cast, talk, monkeypatch):
    monkeypatch.setattr(feed, "POLL_S", 0.05)
    written(talk, cast.owner, "one")
    sync_redis().set(bell.bell_key(talk.tenant_id, talk.conversation.id), "not a stream")
    found = told(talk, limit=2)
    assert [name for name, _, _ in found] == ["message", "status"]
