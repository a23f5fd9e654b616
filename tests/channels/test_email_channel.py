"""The mailbox: read over IMAP, answered over SMTP in the thread, machines left alone."""

import time
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from django.utils import timezone

from furrow.channels.models import Connection, InboundMessage, OutboundMessage
from furrow.channels.outside import checks
from furrow.channels.outside.connections import connection_create, connection_noted
from furrow.channels.outside.mail import servers
from furrow.channels.outside.polling import connections_poll
from furrow.channels.outside.replies import outbound_resend, replies_collect
from furrow.conversations.models import Conversation
from furrow.core import egress
from furrow.core.context import tenant_context, tenant_tx
from furrow.core.deadlines import Deadline
from furrow.core.errors import AppError, Invalid, UpstreamFailed
from furrow.core.models import Job
from furrow.core.sealing import seal
from furrow.knowledge.parsing import apart
from furrow.knowledge.parsing.apart import mail_words
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats.mail_words import own_words
from furrow.tenants.services import SYSTEM
from tests.channels.conftest import Shop, run_jobs
from tests.channels.outside_fakes import (
    PASSWORD,
    USER,
    FakeInbox,
    ImapHandler,
    Postbox,
    dripping,
    serving_imap,
    serving_smtp,
)

QUESTION = "你们周末营业吗？"


def mail(text: str = QUESTION, *, sender: str = "Li <li@example.org>", **headers: str) -> bytes:
    head = {
        "From": sender,
        "To": USER,
        "Subject": "请问",
        "Message-ID": f"<{abs(hash((text, sender, *headers.values())))}@example.org>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "\n".join(f"{name}: {value}" for name, value in head.items())
    return f"{lines}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{text}".encode()


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Any:
    inbox, box = FakeInbox(), Postbox()
    inbox.add(mail("old, from before"))
    imap, smtp = serving_imap(inbox), serving_smtp(box)
    inbox.box, inbox.ports = box, (imap.server_address[1], smtp.server.sockets[0].getsockname()[1])
    # These servers stand on this machine; the gate itself has its own test below.
    monkeypatch.setattr(egress, "is_public_address", lambda text: text == "127.0.0.1")
    for name, port in (("IMAP_PORTS", inbox.ports[0]), ("SMTP_PORTS", inbox.ports[1])):
        for module in (servers, checks.mail):
            monkeypatch.setattr(module, name, frozenset({port}))
    yield inbox
    imap.shutdown()
    imap.server_close()
    smtp.stop()


def values(inbox: Any, **changes: Any) -> dict[str, Any]:
    shared = {"imap_security": "plain", "smtp_security": "plain", "address": USER, "user": ""}
    hosts = {"imap_host": "127.0.0.1", "smtp_host": "127.0.0.1"}
    ports = {"imap_port": inbox.ports[0], "smtp_port": inbox.ports[1]}
    return {**shared, **hosts, **ports, **changes}


@pytest.fixture
def box(shop: Shop, inbox: Any) -> Any:
    with tenant_tx(shop.tenant.id):
        made = connection_create(
            actor=SYSTEM,
            kind="email",
            name="果园",
            assistant=shop.assistant,
            values=checks.values_checked("email", values(inbox)),
            secrets=checks.secrets_checked("email", {"password": PASSWORD}, is_new=True),
        )
    look()
    return made


def look() -> None:
    """One round: the mailbox is read, questions are answered, answers are sent."""
    with tenant_context(None):
        connections_poll()
    run_jobs("notify")
    run_jobs("chat")
    with tenant_context(None):
        replies_collect()
    run_jobs("notify")


def sent(inbox: Any) -> list[Any]:
    return [message_from_bytes(each.content, policy=policy.default) for each in inbox.box.mails]


def test_mail_is_answered_in_its_thread_and_only_once(box, inbox):
    inbox.add(mail(Message_ID="<q1@example.org>", References="<root@example.org>"))
    look()
    look()
    (answer,) = sent(inbox)
    assert answer.get_content().strip() == "周末照常营业。"
    assert answer["To"] == "li@example.org"
    assert (answer["In-Reply-To"], answer["Subject"]) == ("<q1@example.org>", "Re: 请问")
    assert answer["References"] == "<root@example.org> <q1@example.org>"
    assert answer["Auto-Submitted"] == "auto-replied"
    assert answer["Message-ID"].startswith("<furrow.")
    with tenant_tx(box.tenant_id):
        assert InboundMessage.objects.count() == 1


def test_what_lay_there_before_is_left_and_nothing_is_marked(box, inbox):
    look()
    assert sent(inbox) == []
    assert not any("STORE" in each or "BODY[]" in each for each in inbox.commands)
    assert any(each.startswith("EXAMINE") for each in inbox.commands)


@pytest.mark.slow
def test_a_reply_continues_its_conversation_and_another_subject_begins_one(box, inbox):
    inbox.add(mail(Message_ID="<a1@example.org>"))
    look()
    ours = str(sent(inbox)[0]["Message-ID"])
    inbox.add(
        mail(
            f"那几点开门？\n\n在 2026年11月25日，果园 写道：\n> {QUESTION}",
            Message_ID="<a2@example.org>",
            In_Reply_To=ours,
            References=f"<a1@example.org> {ours}",
        )
    )
    inbox.add(mail("Another matter", Message_ID="<b1@example.org>"))
    look()
    with tenant_tx(box.tenant_id):
        assert Conversation.objects.filter(channel="email").count() == 2
        texts = list(
            InboundMessage.objects.order_by("created_at").values_list("turn__text", flat=True)
        )
    assert texts == [QUESTION, "那几点开门？", "Another matter"]


MACHINES = {
    "auto_submitted": {"Auto-Submitted": "auto-replied"},
    "bounce": {"Return-Path": "<>"},
    "machine_address": {"From": "Mail Delivery <MAILER-DAEMON@example.org>"},
    "bulk": {"Precedence": "bulk"},
    "list": {"List-Unsubscribe": "<mailto:x@example.org>"},
    "auto_subject": {"Subject": "自动回复：我在休假"},
    "loop": {"X-Furrow-Channel": "1"},
}


@pytest.mark.parametrize("reason", MACHINES)
def test_machines_are_known(reason):
    headers = {name.replace("-", "_"): value for name, value in MACHINES[reason].items()}
    assert mail_words(mail(**headers)).machine == reason
    assert mail_words(mail()).machine == ""


@pytest.mark.slow
def test_machines_are_not_answered_and_two_machines_end(box, inbox):
    inbox.add(mail(Auto_Submitted="auto-generated"))
    inbox.add(mail("from ourselves", sender=USER))
    for number in range(15):
        inbox.add(mail(f"Thank you for your mail {number}", sender="robot@example.org"))
    look()
    assert 0 < len(sent(inbox)) <= 12
    with tenant_tx(box.tenant_id):
        assert not InboundMessage.objects.exclude(user__external_id="robot@example.org").exists()


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Yes.\n\nOn Tue, 3 Nov 2026 at 10:00, Shop <a@b.c> wrote:\n> old", "Yes."),
        ("好的\n\n------------------ 原始邮件 ------------------\n发件人: 果园", "好的"),
        ("Fine\n-- \nLi\n138", "Fine"),
        ("Hello\n\n发自我的iPhone", "Hello"),
        ("a\n> quoted\nb", "a"),
        ("On Monday we open.\nIs that right?", "On Monday we open.\nIs that right?"),
    ],
)
def test_only_the_writers_own_words_are_kept(text, own):
    assert own_words(text) == own


def test_html_alone_is_read_as_words():
    raw = (
        mail()
        .replace(b"text/plain", b"text/html")
        .replace(
            QUESTION.encode(),
            b"<p>How <b>late</b>?</p><script>x()</script><blockquote>old</blockquote>",
        )
    )
    assert mail_words(raw).text == "How late?"


@pytest.mark.slow
def test_hostile_mails_do_not_stop_those_behind_them(box, inbox):
    inbox.add(b"\x00\xff not a mail")
    inbox.add(mail(Content_Type="multipart/mixed; boundary=" + "x" * 5000))
    inbox.add(mail("=?utf-8?b?" + "A" * 900, Subject="=?utf-8?q?=FF=FE?="))
    inbox.add(mail(Message_ID="<good@example.org>"))
    look()
    assert "<good@example.org>" in [each["In-Reply-To"] for each in sent(inbox)]


def unreadable_code(raw: bytes) -> str:
    with pytest.raises(ParseFailure) as caught:
        mail_words(raw)
    return caught.value.code


@pytest.mark.parametrize("reader", ["warm", pytest.param("cold", marks=pytest.mark.slow)])
def test_mail_is_read_by_a_process_of_its_own(reader, request, monkeypatch):
    """Whatever would have to be loaded for it here, and however long or much it takes."""
    if reader == "cold":
        request.getfixturevalue("cold_readers")
    monkeypatch.setattr("email.parser.BytesParser.parse", lambda *_: pytest.fail("read here"))
    found = mail_words(mail(References="<a@x> <b@x>"))
    assert (found.text, found.writer, found.name) == (QUESTION, "li@example.org", "Li")
    assert (found.subject, found.thread, found.references) == ("请问", "<a@x>", ["<a@x>", "<b@x>"])


def test_mails_over_their_limits_are_told_by_a_code(monkeypatch):
    assert unreadable_code(b"Subject: nobody\n\nx") == "damaged"
    assert unreadable_code(mail(sender="=?utf-8?q?a=40b.c=0ABcc=3A_v=40d.e?=")) == "damaged"
    assert unreadable_code(mail("x" * (12 * 1024 * 1024))) == "too_large"
    monkeypatch.setattr(apart, "MAIL_LIMITS", replace(apart.MAIL_LIMITS, memory_mb=40))
    assert unreadable_code(mail("\n" * 4_000_000)) == "out_of_memory"
    monkeypatch.setattr(apart, "MAIL_LIMITS", replace(apart.MAIL_LIMITS, wall_s=0))
    assert unreadable_code(mail()) == "timeout"


def test_hostile_words_are_read_in_no_time():
    """Each was minutes or more for a pattern that tries every place again."""
    assert own_words("Yes\n" + "\n" * 150_000 + "b") == "Yes\n\nb"
    for body in ("<style" * 30_000, "<br" * 60_000, "<blockquote" * 15_000):
        raw = mail(f"<p>How late?</p>{body}").replace(b"text/plain", b"text/html")
        assert mail_words(raw).text.startswith("How late?")


def test_unreadable_mail_is_skipped_and_logged_without_its_words(box, inbox, monkeypatch, caplog):
    monkeypatch.setattr(apart, "MAIL_LIMITS", replace(apart.MAIL_LIMITS, max_bytes=2000))
    inbox.add(mail("secret words " * 400, sender="Secret <secret@example.org>"))
    inbox.add(mail(Message_ID="<good@example.org>"))
    with caplog.at_level("INFO"):
        look()
    assert [each["In-Reply-To"] for each in sent(inbox)] == ["<good@example.org>"]
    told = " ".join(str(each.msg) for each in caplog.records)
    assert "mail_unreadable" in told
    assert "too_large" in told
    assert "secret" not in told.lower()


@pytest.mark.slow
def test_mail_that_is_or_claims_to_be_huge_is_left(box, inbox):
    uid = inbox.add(mail("huge"))
    inbox.claims[uid] = servers.MOST_BYTES + 1
    inbox.add(mail(Message_ID="<good@example.org>"))
    look()
    assert [each["In-Reply-To"] for each in sent(inbox)] == ["<good@example.org>"]
    inbox.announced = 10**12
    inbox.add(mail("lie", Message_ID="<lie@example.org>"))
    look()
    with tenant_tx(box.tenant_id):
        box.refresh_from_db()
        assert box.error_code == "mail_failed"
        assert InboundMessage.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "state", "code"),
    [("451 try later", "waiting", "refused"), ("550 nobody here", "failed", "refused")],
)
def test_a_server_that_says_not_yet_costs_delay_only(box, inbox, said, state, code):
    inbox.box.refuses = said
    inbox.add(mail())
    look()
    with tenant_tx(box.tenant_id):
        row = OutboundMessage.objects.get()
        assert (row.state, row.error_code) == (state, code)
    inbox.box.refuses = ""
    with tenant_tx(box.tenant_id):
        if state == "failed":
            outbound_resend(row)
        Job.objects.filter(kind="channel.send").update(run_after="2020-01-01T00:00:00Z")
    run_jobs("notify")
    assert len(sent(inbox)) == 1


def test_mailbox_that_failed_is_left_in_peace_for_a_while(box, inbox):
    inbox.add(mail())
    with tenant_tx(box.tenant_id):
        connection_noted(box.id, error_code="login_refused")
    look()
    assert sent(inbox) == []
    with tenant_tx(box.tenant_id):
        Connection.objects.update(checked_at=timezone.now() - timedelta(minutes=6))
    look()
    assert len(sent(inbox)) == 1


def test_long_ids_of_other_programs_stay_what_they_are(box, inbox):
    asked = f"<{'A' * 120}@eurprd04.prod.outlook.example>"
    thread = [f"<{n}{'B' * 90}@example.org>" for n in range(30)]
    inbox.add(mail(Message_ID=asked, References=" ".join(thread)))
    look()
    raw = inbox.box.mails[0].content
    assert b"\r\nIn-Reply-To: " + asked.encode() + b"\r\n" in raw
    assert str(sent(inbox)[0]["References"]).split() == [thread[0], *thread[-19:], asked]
    assert max(len(line) for line in raw.split(b"\r\n")) < 250


def test_server_that_breaks_off_at_the_sign_in_says_nothing_about_the_password(monkeypatch):
    """Its owner would look for a typing error that there is not."""
    monkeypatch.setattr(egress, "is_public_address", lambda text: text == "127.0.0.1")
    monkeypatch.setattr(ImapHandler, "do_login", lambda self, _: self.connection.shutdown(2))
    server = serving_imap(FakeInbox())
    port = server.server_address[1]
    monkeypatch.setattr(servers, "IMAP_PORTS", frozenset({port}))
    with pytest.raises(UpstreamFailed) as caught:
        visit(port)
    server.shutdown()
    server.server_close()
    assert (caught.value.code, caught.value.permanent) == ("mail_failed", False)


def test_try_it_signs_in_on_both_servers(box, inbox, shop):
    assert checks.connection_try(box)
    with tenant_tx(shop.tenant.id):
        wrong = connection_create(
            actor=SYSTEM, kind="email", name="x", assistant=shop.assistant,
            values=values(inbox, user=USER), secrets={"password": "wrong"},
        )  # fmt: skip
    with pytest.raises(UpstreamFailed) as caught:
        checks.connection_try(wrong)
    assert caught.value.code == "login_refused"
    with tenant_tx(shop.tenant.id):
        wrong.refresh_from_db()
        assert wrong.error_code == "login_refused"


def connect(port: int, host: str = "127.0.0.1", ports: Any = (993,)) -> Any:
    with Deadline(0.2) as deadline:
        return egress.connect_public(
            host, port, ports=frozenset(ports), is_tls=True, timeout_s=9, deadline=deadline
        )


def channel_to(port: int) -> Connection:
    row = Connection(kind="email", name="果园")
    row.settings = {
        **{f"{name}_host": "127.0.0.1" for name in ("imap", "smtp")},
        **{f"{name}_port": port for name in ("imap", "smtp")},
        **{f"{name}_security": "plain" for name in ("imap", "smtp")},
        "user": USER,
    }
    row.sealed = seal({"password": PASSWORD}, place=str(row.id))
    return row


def visit(port: int) -> None:
    with servers.mailbox(channel_to(port)) as inbox:
        inbox.ask("SEARCH", "UID 1:*")


def post(port: int) -> None:
    with servers.outgoing(channel_to(port)) as server:
        server.noop()


GREETED = b"* OK ready\r\n"
# The head of a message of 16 KiB.
TLS_BEGUN = b"\x16\x03\x03\x40\x00"


@pytest.mark.parametrize(
    ("said", "drop", "act"),
    [
        (b"", b"a", visit),
        (GREETED, b"a", visit),
        (GREETED, b"* 1 EXISTS\r\n", visit),
        (b"", b"220-still\r\n", post),
        (b"220 ready\r\n", b"2", post),
        (TLS_BEGUN, b"\x02", lambda port: connect(port, ports=[port])),
    ],
    ids=["greeting", "answer", "unasked", "smtp lines", "smtp answer", "tls"],
)
def test_server_that_drips_is_left_when_the_time_is_over(said, drop, act, monkeypatch):
    monkeypatch.setattr(egress, "is_public_address", lambda text: text == "127.0.0.1")
    monkeypatch.setattr(servers, "VISIT_S", 0.2)
    monkeypatch.setattr(servers, "SEND_S", 0.2)
    with dripping(said, drop) as port:
        for name in ("IMAP_PORTS", "SMTP_PORTS"):
            monkeypatch.setattr(servers, name, frozenset({port}))
        begun = time.monotonic()
        with pytest.raises(UpstreamFailed) as caught:
            act(port)
    assert caught.value.code == ("no_answer" if said == TLS_BEGUN else "mail_slow")
    assert not caught.value.permanent
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(("said", "act"), [(GREETED, visit), (b"", post)], ids=["imap", "smtp"])
def test_server_that_says_too_much_is_left(said, act, monkeypatch):
    monkeypatch.setattr(egress, "is_public_address", lambda text: text == "127.0.0.1")
    monkeypatch.setattr(servers, "_VISIT_BYTES", 100_000)
    monkeypatch.setattr(servers, "_SAY_BYTES", 100_000)
    flood = b"220-x\r\n" if act is post else b"* 1 EXISTS\r\n"
    with dripping(said, flood * 1000, pause_s=0) as port:
        for name in ("IMAP_PORTS", "SMTP_PORTS"):
            monkeypatch.setattr(servers, name, frozenset({port}))
        with pytest.raises(UpstreamFailed) as caught:
            act(port)
    assert caught.value.code in {"mail_failed", "no_answer"}


@pytest.mark.slow
def test_visit_without_time_for_another_mail_leaves_it_to_the_next(box, inbox, monkeypatch):
    inbox.add(mail())
    with monkeypatch.context() as patch:
        patch.setattr(servers, "_ONE_MAIL_S", servers.VISIT_S)
        look()
    assert sent(inbox) == []
    look()
    assert len(sent(inbox)) == 1


def test_servers_inside_and_other_ports_are_refused(inbox, monkeypatch):
    with pytest.raises(Invalid):
        checks.values_checked("email", values(inbox, imap_port=22))
    monkeypatch.undo()
    with pytest.raises(AppError) as caught:
        connect(993)
    assert caught.value.code == "address_refused"
    with pytest.raises(AppError) as caught:
        connect(22, "example.org")
    assert caught.value.code == "port_refused"
