"""News by webhook and e-mail: once, signed, tried again, and never to an address inside."""

import hashlib
import hmac
import json
import socket
import threading
import time
from datetime import date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone
from django.utils.translation import trans_real

from furrow.assistants.models import Assistant
from furrow.assistants.services import assistant_create
from furrow.channels.deliveries import (
    ATTEMPTS,
    LANE,
    RETRY_DELAYS,
    deliveries_begin,
    delivery_resend,
    delivery_test,
)
from furrow.channels.models import News, WebhookDelivery
from furrow.channels.news import news_tell
from furrow.channels.webhooks import (
    endpoint_create,
    endpoint_delete,
    endpoint_secret_renew,
    endpoint_update,
    secret_of,
    signature,
)
from furrow.conversations.services import conversation_create, ticket_close, ticket_open
from furrow.core import egress, jobs
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError, Conflict, Invalid
from furrow.core.models import Job
from furrow.dashboard.translations import compile_catalogues
from furrow.metering.budgets import budget_set
from furrow.metering.counts import Counts
from furrow.metering.credit import credit_add, prepaid_set
from furrow.metering.holds import Bounds, hold_open
from furrow.metering.invoices import invoice_close
from furrow.metering.settlement import settle
from furrow.tenants.models import Membership
from furrow.tenants.services import SYSTEM

EVENTS = ["budget.threshold", "invoice.closed"]


class Receiver(BaseHTTPRequestHandler):
    got: list[tuple[dict[str, str], bytes]] = []
    answers: list[int] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((dict(self.headers), body))
        status = self.answers.pop(0) if self.answers else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://internal.example/")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def receiver(monkeypatch):
    """A real server on this machine that stands in for the public address of public.example."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    port = server.server_address[1]
    real_lookup = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "public.example":
            return [(2, 1, 6, "", ("127.0.0.1", port))]
        if host == "internal.example":
            return [(2, 1, 6, "", ("10.0.0.5", port))]
        return real_lookup(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(egress, "_ALLOWED_PORTS", {80, 443, port})
    real = egress.is_public_address
    monkeypatch.setattr(egress, "is_public_address", lambda a: a == "127.0.0.1" or real(a))
    Receiver.got.clear()
    Receiver.answers.clear()
    yield f"http://public.example:{port}/furrow"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def endpoint(cast, receiver):
    with tenant_tx(cast.tenant.id):
        return endpoint_create(actor=SYSTEM, url=receiver, events=EVENTS)


def run_due(tenant: Any) -> int:
    """Runs what is due now; retries stay until `later`."""
    count = 0
    while jobs.run_next(LANE):
        count += 1
    return count


def later(tenant: Any) -> None:
    with tenant_tx(tenant.id):
        Job.objects.filter(state="queued").update(run_after=timezone.now() - timedelta(seconds=1))


def ask_for_person(*, is_test: bool) -> Any:
    assistant = Assistant.objects.first() or assistant_create(actor=SYSTEM, name="Help")
    talk = conversation_create(assistant=assistant, channel="widget", is_test=is_test)
    return ticket_open(conversation=talk)


def delivery_of(tenant: Any) -> WebhookDelivery:
    with tenant_tx(tenant.id):
        return WebhookDelivery.objects.latest("created_at")


def begin(tenant: Any, event: str = "invoice.closed") -> None:
    with tenant_tx(tenant.id):
        deliveries_begin(event=event, facts={"number": 7, "name": "果园"})


def spend(tenant: Any, tokens: int) -> None:
    with tenant_tx(tenant.id):
        hold = hold_open(request_id=f"r{time.monotonic_ns()}", model="m", bounds=Bounds(tokens))
    with tenant_tx(tenant.id):
        settle(request_id=hold.request_id, counts=Counts(in_miss=tokens))


def verified(secret: str, headers: dict[str, str], body: bytes, *, now: int) -> bool:
    """As docs/api.md tells receivers to check."""
    parts = dict(part.split("=", 1) for part in headers["Furrow-Signature"].split(","))
    signed = f"{parts['t']}.".encode() + body
    wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts["v1"]) and abs(now - int(parts["t"])) <= 300


def test_message_arrives_signed_with_its_words(cast, endpoint):
    begin(cast.tenant)
    run_due(cast.tenant)
    ((headers, body),) = Receiver.got
    sent = json.loads(body)
    assert (sent["event"], sent["data"]["name"]) == ("invoice.closed", "果园")
    assert headers["Furrow-Event"] == "invoice.closed"
    assert headers["Furrow-Delivery"] == sent["id"]
    assert headers["Host"].startswith("public.example")
    now = int(time.time())
    assert verified(secret_of(endpoint), headers, body, now=now)
    assert not verified(secret_of(endpoint), headers, body + b" ", now=now)
    assert not verified(secret_of(endpoint), headers, body, now=now + 301)
    assert delivery_of(cast.tenant).state == "delivered"


def test_secret_is_of_one_endpoint_and_dies_when_renewed(cast, endpoint, receiver):
    with tenant_tx(cast.tenant.id):
        other = endpoint_create(actor=SYSTEM, url=receiver, events=EVENTS)
    with tenant_tx(cast.other_tenant.id):
        foreign = endpoint_create(actor=SYSTEM, url=receiver, events=EVENTS)
    old = secret_of(endpoint)
    with tenant_tx(cast.tenant.id):
        renewed = endpoint_secret_renew(actor=SYSTEM, endpoint=endpoint)
    assert len({old, renewed, secret_of(other), secret_of(foreign)}) == 4
    assert renewed == secret_of(endpoint)
    assert signature(old, timestamp=1, body=b"x") != signature(renewed, timestamp=1, body=b"x")


@pytest.mark.parametrize("status", [500, 404, 302, 410])
def test_refused_message_is_tried_again_with_growing_pauses(cast, endpoint, status):
    Receiver.answers[:] = [status, status]
    begin(cast.tenant)
    run_due(cast.tenant)
    first = delivery_of(cast.tenant)
    assert (first.state, first.attempts, first.last_status) == ("waiting", 1, status)
    with tenant_tx(cast.tenant.id):
        job = Job.objects.get(kind="webhook.deliver")
        pause = job.run_after - timezone.now()
    assert RETRY_DELAYS[0] - timedelta(seconds=10) < pause <= RETRY_DELAYS[0]
    assert run_due(cast.tenant) == 0
    for _ in range(2):
        later(cast.tenant)
        run_due(cast.tenant)
    done = delivery_of(cast.tenant)
    assert (done.state, done.attempts, done.error_code) == ("delivered", 3, "")
    # The same message each time, under one id; nothing followed the redirect.
    assert len({body for _, body in Receiver.got}) == 1
    assert len(Receiver.got) == 3


def test_message_is_given_up_after_its_last_attempt_and_can_be_sent_again(cast, endpoint):
    Receiver.answers[:] = [500] * ATTEMPTS
    begin(cast.tenant)
    for _ in range(ATTEMPTS + 2):
        run_due(cast.tenant)
        later(cast.tenant)
    lost = delivery_of(cast.tenant)
    assert (lost.state, lost.attempts, lost.error_code) == ("failed", ATTEMPTS, "refused")
    with tenant_tx(cast.tenant.id):
        delivery_resend(actor=SYSTEM, delivery=lost)
    run_due(cast.tenant)
    assert delivery_of(cast.tenant).state == "delivered"


def test_message_on_its_way_is_not_sent_twice(cast, endpoint):
    begin(cast.tenant)
    with tenant_tx(cast.tenant.id), pytest.raises(Conflict):
        delivery_resend(actor=SYSTEM, delivery=WebhookDelivery.objects.get())


def test_silent_address_is_tried_again(cast, endpoint, monkeypatch):
    with tenant_tx(cast.tenant.id):
        endpoint_update(actor=SYSTEM, endpoint=endpoint, url="http://public.example/")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [(2, 1, 6, "", ("127.0.0.1", 1))])
    begin(cast.tenant)
    run_due(cast.tenant)
    found = delivery_of(cast.tenant)
    assert (found.state, found.error_code, found.last_status) == ("waiting", "no_answer", None)


def test_name_that_leads_inside_is_refused_at_sending_and_never_connected(cast, endpoint, receiver):
    inside = receiver.replace("public.example", "internal.example")
    with tenant_tx(cast.tenant.id):
        endpoint_update(actor=SYSTEM, endpoint=endpoint, url=inside)
    begin(cast.tenant)
    run_due(cast.tenant)
    found = delivery_of(cast.tenant)
    assert (found.state, found.error_code) == ("failed", "address_refused")
    assert Receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/", "https://169.254.169.254/latest", "http://localhost/", "http://[::1]/",
        "http://[::ffff:10.0.0.1]/", "http://user:pw@example.com/", "ftp://example.com/", "nonsense",
        "https://example.com:6379/", "http://example.com\\@127.0.0.1/", "https://x.example/" + "a" * 500,
    ],
)  # fmt: skip
def test_address_that_can_be_seen_to_be_wrong_is_not_saved(cast, url):
    with tenant_tx(cast.tenant.id), pytest.raises(AppError):
        endpoint_create(actor=SYSTEM, url=url, events=EVENTS)


def test_production_wants_https(cast, settings):
    settings.IS_PRODUCTION = True
    with tenant_tx(cast.tenant.id), pytest.raises(Invalid):
        endpoint_create(actor=SYSTEM, url="http://example.com/", events=EVENTS)


@pytest.mark.parametrize("events", [[], ["ping"], ["budget.threshold", "everything"]])
def test_only_known_events_can_be_chosen(cast, events):
    with tenant_tx(cast.tenant.id), pytest.raises(Invalid):
        endpoint_create(actor=SYSTEM, url="https://example.com/", events=events)


def test_switched_off_and_removed_addresses_get_nothing(cast, endpoint):
    begin(cast.tenant)
    with tenant_tx(cast.tenant.id):
        endpoint_update(actor=SYSTEM, endpoint=endpoint, is_enabled=False)
        assert deliveries_begin(event="invoice.closed", facts={}) == 0
        with pytest.raises(Conflict):
            delivery_test(actor=SYSTEM, endpoint=endpoint)
        endpoint_delete(actor=SYSTEM, endpoint=endpoint)
    run_due(cast.tenant)
    assert delivery_of(cast.tenant).error_code == "switched_off"
    assert Receiver.got == []


def test_endpoint_gets_only_what_it_wants_and_only_of_its_business(cast, endpoint):
    with tenant_tx(cast.tenant.id):
        endpoint_update(actor=SYSTEM, endpoint=endpoint, events=["budget.threshold"])
    begin(cast.tenant)
    begin(cast.other_tenant, "budget.threshold")
    run_due(cast.tenant)
    assert Receiver.got == []


class TestNews:
    @pytest.fixture(autouse=True)
    def _in_chinese(self):
        """Compiled now: another test may have asked for the catalogue when there was none."""
        compile_catalogues()
        trans_real._translations.clear()

    @pytest.fixture
    def passed(self, cast, endpoint):
        """80 % of a budget of 0.01 spent in one step passes two levels."""
        with tenant_tx(cast.tenant.id):
            budget_set(
                actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal("0.01"), thresholds=(50, 80)
            )
        spend(cast.tenant, 4500)

    def test_each_level_is_told_once_by_webhook_and_by_mail(self, cast, passed):
        assert news_tell() == 2
        assert news_tell() == 0
        run_due(cast.tenant)
        sent = [json.loads(body)["data"] for _, body in Receiver.got]
        assert sorted(each["percent"] for each in sent) == [50, 80]
        assert {(each["scope"], each["posted"], each["cap"]) for each in sent} == {
            ("tenant", "0.009", "0.01")
        }
        assert len(mail.outbox) == 2
        assert mail.outbox[0].to == ["owner@example.test"]
        later(cast.tenant)
        run_due(cast.tenant)
        assert (len(mail.outbox), len(Receiver.got)) == (2, 2)

    def test_mail_says_what_happened_in_the_language_of_the_business(self, cast, passed):
        news_tell()
        run_due(cast.tenant)
        body = "".join(message.body for message in mail.outbox)
        assert "整个店铺的预算已用 80%：花了 0.009 CNY，上限 0.01 CNY" in body
        assert "/t/orchard/costs/budgets/" in body

    def test_credit_that_runs_low_is_news_of_its_own(self, cast, endpoint):
        with tenant_tx(cast.tenant.id):
            endpoint_update(actor=SYSTEM, endpoint=endpoint, events=["credit.low"])
            prepaid_set(actor=SYSTEM, is_prepaid=True)
            credit_add(actor=SYSTEM, amount=Decimal("0.01"), reference="wx-1")
        spend(cast.tenant, 4500)
        assert (news_tell(), news_tell()) == (1, 0)
        run_due(cast.tenant)
        (sent,) = [json.loads(body) for _, body in Receiver.got]
        assert (sent["event"], sent["data"]) == (
            "credit.low",
            {"percent_left": 20, "left": "0.001", "is_used_up": False, "currency": "CNY"},
        )
        (message,) = mail.outbox
        assert (message.subject, message.to) == ("Orchard：预付款快用完了", ["owner@example.test"])
        assert "剩下不到 20%：0.001 CNY" in message.body
        assert "/t/orchard/costs/" in message.body

    def test_admins_are_told_and_staff_is_not(self, cast, passed):
        with tenant_tx(cast.tenant.id):
            Membership.objects.filter(user=cast.teammate).update(role="admin")
        news_tell()
        run_due(cast.tenant)
        assert mail.outbox[0].to == ["owner@example.test", "teammate@example.test"]

    def test_visitors_who_ask_for_a_person_share_a_mail_to_all_who_answer(self, cast, endpoint):
        with tenant_tx(cast.tenant.id):
            endpoint_update(actor=SYSTEM, endpoint=endpoint, events=["ticket.opened"])
            Membership.objects.filter(user=cast.teammate).update(role="staff")
            first, second, own, done = (ask_for_person(is_test=n == 2) for n in range(4))
            ticket_close(actor=SYSTEM, ticket=done)
        assert news_tell() == 3
        with tenant_tx(cast.tenant.id):
            ticket_open(conversation=first.conversation, contact="微信 guoyuan88", note="六十箱")
        run_due(cast.tenant)
        told = [json.loads(body)["data"] for _, body in Receiver.got]
        assert {each["ticket_id"] for each in told} == {str(t.id) for t in (first, second, done)}
        assert "guoyuan88" not in str(told)
        assert mail.outbox == []

        later(cast.tenant)
        run_due(cast.tenant)
        (message,) = mail.outbox
        assert message.to == ["owner@example.test", "teammate@example.test"]
        assert message.subject == "Orchard：2 位访客请求人工服务"
        assert "微信 guoyuan88" in message.body
        assert f"/t/orchard/tickets/{second.id}/" in message.body
        assert not any(str(ticket.id) in message.body for ticket in (own, done))
        assert news_tell() == 0

    def test_mail_server_that_is_away_delays_the_mail(self, cast, passed, monkeypatch):
        def broken(self: Any, messages: Any) -> int:
            raise ConnectionRefusedError

        monkeypatch.setattr(EmailBackend, "send_messages", broken)
        news_tell()
        run_due(cast.tenant)
        with tenant_tx(cast.tenant.id):
            assert News.objects.filter(mailed_at=None).count() == 2
        monkeypatch.undo()
        later(cast.tenant)
        with tenant_tx(cast.tenant.id):
            Job.objects.filter(kind="webhook.deliver").delete()
        run_due(cast.tenant)
        assert len(mail.outbox) == 2

    def test_closed_invoice_is_told(self, cast, endpoint):
        with tenant_tx(cast.tenant.id):
            invoice = invoice_close(month=date(2026, 1, 1))
        news_tell()
        run_due(cast.tenant)
        sent = [json.loads(body) for _, body in Receiver.got]
        assert [(each["event"], each["data"]["invoice_id"]) for each in sent] == [
            ("invoice.closed", str(invoice.id))
        ]
        assert f"/t/orchard/costs/invoices/{invoice.id}/" in mail.outbox[0].body
