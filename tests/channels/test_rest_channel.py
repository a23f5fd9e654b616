"""The channel for the business's own program: signed in, answered by call or by fetching, each message once."""

import json
import time
from typing import Any

import pytest

from furrow.channels.models import InboundMessage, OutboundMessage
from furrow.channels.outside import checks
from furrow.channels.outside.connections import (
    connection_create,
    connection_delete,
    signing_secret,
)
from furrow.channels.outside.replies import replies_collect
from furrow.channels.webhooks import signature
from furrow.conversations.models import Conversation
from furrow.conversations.replies import reply_send
from furrow.core.context import tenant_context, tenant_tx
from furrow.core.models import Job
from furrow.tenants.services import SYSTEM
from tests.channels.conftest import Shop, code_of, run_jobs
from tests.channels.test_edge import out_of_time
from tests.channels.test_webhooks import Receiver, receiver  # noqa: F401  a fixture

MESSAGE = {"id": "m1", "user": "u-7", "text": "你们周末营业吗？", "name": "Li"}


def connection_of(shop: Shop, url: str = "") -> Any:
    with tenant_tx(shop.tenant.id):
        return connection_create(
            actor=SYSTEM,
            kind="rest",
            name="App",
            assistant=shop.assistant,
            values=checks.values_checked("rest", {"url": url}),
            secrets={},
        )


def post(client: Any, connection: Any, message: Any = MESSAGE, **changes: Any) -> Any:
    body = json.dumps(message).encode()
    secret = changes.get("secret") or signing_secret(connection)
    stamp = changes.get("stamp") or int(time.time())
    sent = changes.get("body") or body
    return client.post(
        f"/channels/messages/{connection.public_key}",
        data=sent,
        content_type="application/json",
        headers={"Furrow-Signature": signature(secret, timestamp=stamp, body=body)},
    )


def answered() -> None:
    run_jobs("chat")
    with tenant_context(None):
        replies_collect()
    run_jobs("notify")


def outbound(connection: Any) -> list[Any]:
    with tenant_tx(connection.tenant_id):
        return list(OutboundMessage.objects.filter(connection=connection).order_by("number"))


def test_signed_message_is_taken_once_and_its_answer_waits_to_be_fetched(shop, client):
    connection = connection_of(shop)
    assert post(client, connection).status_code == 202
    assert post(client, connection).status_code == 200
    answered()
    answered()
    (row,) = outbound(connection)
    assert (row.text, row.state, row.author) == ("周末照常营业。", "sent", "assistant")
    with tenant_tx(shop.tenant.id):
        assert Conversation.objects.get().channel == "rest"


@pytest.mark.parametrize(
    "changes",
    [{"secret": "wrong"}, {"stamp": 1_700_000_000}, {"body": b'{"id":"m2","user":"u","text":"x"}'}],
)
def test_unsigned_old_or_changed_messages_are_refused(shop, client, changes):
    connection = connection_of(shop)
    assert post(client, connection, **changes).status_code == 401
    with tenant_tx(shop.tenant.id):
        assert not InboundMessage.objects.exists()


def test_secret_of_one_channel_opens_no_other(shop, rival, client):
    mine, theirs = connection_of(shop), connection_of(rival)
    assert post(client, theirs, secret=signing_secret(mine)).status_code == 401
    with tenant_tx(shop.tenant.id):
        connection_delete(actor=SYSTEM, connection=mine)
    assert post(client, mine).status_code == 404


@pytest.mark.parametrize(
    "message",
    [{}, [], {"id": "1", "user": "", "text": "x"}, {**MESSAGE, "extra": 1}, {**MESSAGE, "text": 5},
     {**MESSAGE, "user": "u\x00"}, {**MESSAGE, "text": "\ud800"}, {**MESSAGE, "id": "x" * 300}],
)  # fmt: skip
def test_malformed_messages_are_refused(shop, client, message):
    connection = connection_of(shop)
    assert post(client, connection, message).status_code == 422


def test_busy_database_and_a_crowd_ask_the_program_to_come_again(shop, client, monkeypatch):
    connection = connection_of(shop)
    with monkeypatch.context() as patch:
        patch.setattr("furrow.channels.outside.intake.turn_create", out_of_time)
        response = post(client, connection)
    assert code_of(response) == (503, "busy")
    assert int(response["Retry-After"]) > 1
    monkeypatch.setattr("furrow.channels.outside.intake.MESSAGES_PER_MINUTE", 1)
    assert post(client, connection).status_code == 202
    response = post(client, connection, {**MESSAGE, "id": "m2"})
    assert (response.status_code, response["Retry-After"]) == (429, "60")


def test_answer_and_a_members_words_are_posted_in_order_and_signed(shop, client, receiver, cast):  # noqa: F811
    connection = connection_of(shop, receiver)
    post(client, connection)
    answered()
    with tenant_tx(shop.tenant.id):
        conversation = Conversation.objects.get()
        reply_send(user=cast.owner, conversation=conversation, text="我来帮您。")
    answered()
    texts = [json.loads(body)["data"]["text"] for _headers, body in Receiver.got]
    assert texts == ["周末照常营业。", "我来帮您。"]
    headers, body = Receiver.got[0]
    stamp = int(headers["Furrow-Signature"].split(",")[0][2:])
    assert headers["Furrow-Signature"] == signature(
        signing_secret(connection), timestamp=stamp, body=body
    )
    assert [row.state for row in outbound(connection)] == ["sent", "sent"]


def test_refused_answer_is_tried_again_with_the_same_id(shop, client, receiver):  # noqa: F811
    connection = connection_of(shop, receiver)
    Receiver.answers[:] = [500]
    post(client, connection)
    answered()
    assert outbound(connection)[0].state == "waiting"
    with tenant_tx(shop.tenant.id):
        Job.objects.filter(kind="channel.send").update(run_after="2020-01-01T00:00:00Z")
    run_jobs("notify")
    assert outbound(connection)[0].state == "sent"
    ids = {json.loads(body)["id"] for _headers, body in Receiver.got}
    assert len(ids) == 1
