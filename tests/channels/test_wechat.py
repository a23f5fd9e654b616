"""WeChat customer service against a server that speaks its protocol: signed, opened, read once, answered within budget."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from furrow.channels.models import InboundMessage, OutboundMessage, OutsideUser, Photo
from furrow.channels.outside import checks
from furrow.channels.outside.connections import connection_create, secrets_of
from furrow.channels.outside.replies import replies_collect
from furrow.channels.outside.wechat import crypto
from furrow.channels.outside.wechat.channel import TEXT_BYTES, _xml, pieces_of
from furrow.core.context import tenant_context, tenant_tx
from furrow.core.errors import AppError, Invalid, NotSignedIn
from furrow.core.models import Job
from furrow.tenants.services import SYSTEM
from tests.channels.conftest import Shop, run_jobs
from tests.channels.outside_fakes import FakeWeChat, serving_wechat
from tests.knowledge.parsing.test_apart import png

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SECRETS = {"secret": "wx-secret", "token": "call-token", "aes_key": AES_KEY}
VALUES = {"corp_id": "ww1234", "open_kfid": "wkShop"}


@pytest.fixture
def fake(settings: Any) -> Any:
    fake = FakeWeChat()
    server = serving_wechat(fake)
    settings.WECHAT_API_URL = f"http://127.0.0.1:{server.server_address[1]}"
    yield fake
    server.shutdown()
    server.server_close()


@pytest.fixture
def line(shop: Shop, fake: FakeWeChat) -> Any:
    with tenant_tx(shop.tenant.id):
        return connection_create(
            actor=SYSTEM,
            kind="wechat",
            name="果园微信",
            assistant=shop.assistant,
            values=checks.values_checked("wechat", VALUES),
            secrets=checks.secrets_checked("wechat", SECRETS, is_new=True),
        )


def event(kfid: str = "wkShop") -> str:
    return (
        "<xml><ToUserName><![CDATA[ww1234]]></ToUserName><Event><![CDATA[kf_msg_or_event]]></Event>"
        f"<Token><![CDATA[x]]></Token><OpenKfId><![CDATA[{kfid}]]></OpenKfId></xml>"
    )


def sealed(text: str, receiver: str = "ww1234") -> str:
    return crypto.encrypt(text, key=crypto.key_of(AES_KEY), receiver=receiver)


def query_of(text: str) -> dict[str, str]:
    stamp, nonce = str(int(time.time())), "n1"
    signed = crypto.signature(SECRETS["token"], stamp, nonce, text)
    return {"msg_signature": signed, "timestamp": stamp, "nonce": nonce}


def call(client: Any, line: Any, text: str, **more: str) -> Any:
    address = f"/channels/wechat/{line.public_key}"
    body = f"<xml><ToUserName>ww1234</ToUserName><Encrypt><![CDATA[{text}]]></Encrypt></xml>"
    query = "&".join(f"{name}={value}" for name, value in {**query_of(text), **more}.items())
    return client.post(f"{address}?{query}", data=body, content_type="text/xml")


def round_trip(client: Any, line: Any) -> None:
    """WeChat calls, we read, answer and send."""
    assert call(client, line, sealed(event())).content == b"success"
    run_jobs("notify")
    run_jobs("chat")
    with tenant_context(None):
        replies_collect()
    run_jobs("notify")


def rows(line: Any, model: Any) -> list[Any]:
    with tenant_tx(line.tenant_id):
        return list(model.objects.filter(connection=line).order_by("created_at"))


def test_address_is_confirmed_with_the_opened_word_only(line, client):
    word = sealed("12345")
    query = {**query_of(word), "echostr": word}
    address = f"/channels/wechat/{line.public_key}"
    assert client.get(address, query).content == b"12345"
    assert client.get(address, {**query, "nonce": "other"}).status_code == 401
    foreign = sealed("12345", receiver="ww9999")
    assert client.get(address, {**query_of(foreign), "echostr": foreign}).status_code == 401
    assert client.get("/channels/wechat/unknown", query).status_code == 404


def test_customer_is_answered_once_however_often_wechat_calls(line, fake, client):
    fake.writes("你们周末营业吗？")
    fake.writes("谢谢", origin=5)
    round_trip(client, line)
    round_trip(client, line)
    assert [each["text"]["content"] for each in fake.sent] == ["周末照常营业。"]
    assert fake.sent[0]["touser"] == "wmA"
    assert len(rows(line, InboundMessage)) == 1
    assert [row.state for row in rows(line, OutboundMessage)] == ["sent"]


@pytest.mark.parametrize("change", [{"msg_signature": "0" * 40}, {"timestamp": "1"}])
def test_forged_call_reads_nothing(line, fake, client, change):
    assert call(client, line, sealed(event()), **change).status_code == 401

    with tenant_tx(line.tenant_id):
        assert not Job.objects.filter(kind="channel.wechat_read").exists()


def test_call_for_another_account_and_hostile_xml_are_left(line, client):
    assert call(client, line, sealed(event("wkOther"))).status_code == 200
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]><xml><Event>&a;</Event></xml>'
    assert call(client, line, sealed(bomb)).status_code == 401
    with tenant_tx(line.tenant_id):
        assert not Job.objects.filter(kind="channel.wechat_read").exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp037"])
def test_doctype_is_found_in_every_encoding(encoding):
    head = "" if encoding.startswith("utf-16") else f"<?xml version='1.0' encoding='{encoding}'?>"
    body = "<!DOCTYPE x [<!ENTITY a 'b'>]><xml><Encrypt>&a;</Encrypt></xml>".encode(encoding)
    with pytest.raises(NotSignedIn):
        _xml(head.encode() + body)


def test_message_that_is_not_as_published_stops_nothing(line, fake, client):
    fake.messages.append({"origin": 3, "msgtype": "text", "text": None, "msgid": "m0"})
    fake.writes("你们周末营业吗？")
    round_trip(client, line)
    assert len(fake.sent) == 1


@pytest.mark.slow
def test_sixth_message_in_two_days_waits_until_the_customer_writes(line, fake, client):
    fake.writes("你们周末营业吗？")
    round_trip(client, line)
    with tenant_tx(line.tenant_id):
        user = OutsideUser.objects.get(connection=line)
        for number in range(2, 6):
            OutboundMessage.objects.create(
                connection=line, user=user, number=number, source=f"staff:{number}",
                author="staff", text="一", state="sent", sent_at=timezone.now(),
            )  # fmt: skip
        OutboundMessage.objects.create(
            connection=line, user=user, number=6, source="staff:6", author="staff", text="第六条"
        )
        from furrow.channels.outside.replies import _enqueue  # noqa: PLC0415

        _enqueue(user.id)
    run_jobs("notify")
    assert rows(line, OutboundMessage)[-1].state == "held"
    assert len(fake.sent) == 1
    fake.writes("还在吗")
    round_trip(client, line)
    assert "第六条" in [each["text"]["content"] for each in fake.sent]


def test_nothing_is_sent_after_48_hours(line, fake, client):
    fake.writes("你们周末营业吗？")
    assert call(client, line, sealed(event())).status_code == 200
    run_jobs("notify")
    with tenant_tx(line.tenant_id):
        OutsideUser.objects.update(last_inbound_at=timezone.now() - timedelta(hours=49))
    run_jobs("chat")
    with tenant_context(None):
        replies_collect()
    run_jobs("notify")
    assert (fake.sent, rows(line, OutboundMessage)[0].state) == ([], "held")


def test_picture_is_fetched_and_kept(line, fake, client):
    fake.media["m1"] = png(40, 30, bytes((40 * 3 + 1) * 30))
    fake.writes("", msgtype="image", image={"media_id": "m1"})
    round_trip(client, line)
    with tenant_tx(line.tenant_id):
        assert Photo.objects.get().turn == InboundMessage.objects.get().turn


@pytest.mark.parametrize("gone", [False, True])
def test_picture_behind_an_old_token_is_fetched_and_a_lost_one_is_told(line, fake, client, gone):
    fake.media["m1"] = png(40, 30, bytes((40 * 3 + 1) * 30))
    fake.writes("", msgtype="image", image={"media_id": "gone" if gone else "m1"})
    fake.forget_for = "/cgi-bin/media/get"
    round_trip(client, line)
    with tenant_tx(line.tenant_id):
        assert Photo.objects.count() == (0 if gone else 1)
        assert InboundMessage.objects.get().turn.text == ("[图片]" if gone else "（照片）")


def test_expired_token_is_renewed_and_a_wrong_secret_is_told(line, fake, client):
    fake.writes("你们周末营业吗？")
    assert "knows" in checks.connection_try(line) or checks.connection_try(line)
    fake.forget_token = True
    round_trip(client, line)
    assert len(fake.sent) == 1
    assert fake.tokens >= 2
    fake.refuse = 95018
    with tenant_tx(line.tenant_id):
        assert secrets_of(line) == SECRETS
        line.sealed = ""
        line.save()
    with pytest.raises((AppError, KeyError)):
        checks.connection_try(line)


def test_secrets_are_sealed_and_bound_to_their_row(line):
    assert "wx-secret" not in line.sealed
    line.id = line.assistant_id
    with pytest.raises(AppError, match="cannot be read"):
        secrets_of(line)


def test_long_answers_are_cut_at_sentences():
    text = "。".join(["果园每天发货" * 12] * 40) + "。"
    pieces = pieces_of(text)
    assert all(len(piece.encode()) <= TEXT_BYTES for piece in pieces)
    assert "".join(pieces) == text
    assert all(piece.endswith("。") for piece in pieces)


def test_keys_and_padding_are_checked():
    with pytest.raises(Invalid):
        crypto.key_of("short")
    with pytest.raises(NotSignedIn):
        crypto.decrypt("AAAA", key=crypto.key_of(AES_KEY), receiver="ww1234")
    assert (
        crypto.decrypt(sealed("你好 <&>"), key=crypto.key_of(AES_KEY), receiver="ww1234")
        == "你好 <&>"
    )
