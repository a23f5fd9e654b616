"""Invoices: what they add up to, and that they never change."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from furrow.core.errors import Conflict
from furrow.core.extensions import extensions
from furrow.metering.credit import adjustment_post
from furrow.metering.invoices import invoice_close, invoice_document, invoices_close_due
from furrow.metering.models import Account, Invoice, InvoiceLine, LedgerLine
from furrow.tenants.services import SYSTEM

SHANGHAI = ZoneInfo("Asia/Shanghai")
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
IN_MARCH = datetime(2026, 3, 10, 12, tzinfo=SHANGHAI)


def close(payer, month=MARCH):
    with payer.tx():
        return invoice_close(month=month)


def lines(payer, invoice):
    with payer.tx():
        return list(InvoiceLine.objects.filter(invoice=invoice).order_by("position"))


def owed(payer):
    return payer.sum_of("receivable")


def test_i13_total_is_its_lines_and_what_the_ledger_owes(payer, event_at):
    for n in range(7):
        event_at(IN_MARCH + timedelta(days=n), 1000 + n, 2001 * n, 333, n)
    invoice = close(payer)
    rows = lines(payer, invoice)
    assert invoice.total == sum(line.amount for line in rows) == owed(payer)
    assert invoice.total == invoice.total.quantize(Decimal("0.01"))
    assert {line.bucket for line in rows} >= {"in_hit", "in_miss", "out", "reasoning"}
    payer.check()


@pytest.mark.parametrize(
    "tokens", [(0, 2500, 0, 0), (10_000, 2500, 625, 625), (0, 7500, 0, 0), (1, 1, 1, 1)]
)
def test_rounding_is_half_even_once_a_line_with_its_residue(payer, event_at, tokens):
    event_at(IN_MARCH, *tokens)
    invoice = close(payer)
    rows = lines(payer, invoice)
    whole = sum(line.exact for line in rows if line.kind != "rounding")
    assert invoice.total == whole.quantize(Decimal("0.01"), "ROUND_HALF_EVEN")
    assert sum(line.amount for line in rows) == invoice.total == owed(payer)
    assert sum(line.exact for line in rows) == invoice.total


def test_month_ends_at_its_own_midnight(payer, event_at):
    midnight = datetime(2026, 4, 1, tzinfo=SHANGHAI)
    for moment in (midnight - timedelta(microseconds=1), midnight, midnight):
        event_at(moment, 0, 0, 10_000, 0)
    assert close(payer).total == Decimal("0.08")
    assert close(payer, APRIL).total == Decimal("0.16")


def test_closing_again_gives_the_same_invoice(payer, event_at):
    event_at(IN_MARCH, 0, 100, 100, 0)
    first = close(payer)
    assert close(payer).id == first.id


def test_i13_reissue_is_the_same_bytes_whatever_happened_since(payer, event_at):
    event_at(IN_MARCH, 0, 100_000, 10_000, 0)
    invoice = close(payer)
    with payer.tx():
        before = invoice_document(invoice)
    event_at(IN_MARCH, 0, 999, 999, 0, recorded_at=datetime(2026, 4, 5, tzinfo=UTC))
    with payer.tx():
        again = invoice_document(Invoice.objects.get(id=invoice.id))
    assert again == before
    assert hashlib.sha256(again.encode()).hexdigest() == invoice.digest
    assert json.loads(again)["total"] == "0.28"


def test_late_event_lands_on_the_next_invoice(payer, event_at):
    event_at(IN_MARCH, 0, 0, 10_000, 0)
    close(payer)
    late = datetime(2026, 4, 5, tzinfo=SHANGHAI)
    event_at(IN_MARCH, 0, 0, 5_000, 0, recorded_at=late)
    invoice = close(payer, APRIL)
    assert (invoice.total, invoice.events_count) == (Decimal("0.04"), 1)


def test_event_within_the_grace_is_on_its_month(payer, event_at):
    grace = datetime(2026, 4, 1, 0, 59, tzinfo=SHANGHAI)
    event_at(IN_MARCH, 0, 0, 10_000, 0, recorded_at=grace)
    assert close(payer).total == Decimal("0.08")
    assert close(payer, APRIL).total == 0


def test_what_we_took_on_ourselves_is_taken_off(payer, event_at):
    event_at(IN_MARCH, 0, 0, 10_000, 0, charged=Decimal("0.05"), absorbed=Decimal("0.03"))
    invoice = close(payer)
    assert invoice.total == Decimal("0.05")
    assert ("absorbed", Decimal("-0.03")) in [(ln.kind, ln.amount) for ln in lines(payer, invoice)]


def test_prepaid_usage_is_shown_and_not_owed(payer, event_at):
    event_at(IN_MARCH, 0, 0, 10_000, 0, scopes=["tenant", "wallet"])
    invoice = close(payer)
    assert invoice.total == 0
    assert [line.amount for line in lines(payer, invoice)] == [Decimal("0.08"), Decimal("-0.08")]


def test_adjustment_is_a_line_of_the_month_it_was_made_in(payer):
    with payer.tx():
        adjustment_post(actor=SYSTEM, amount=Decimal("-0.05"), note="goodwill")
        moment = LedgerLine.objects.first().occurred_at.astimezone(SHANGHAI)
    with pytest.raises(Conflict):
        close(payer, moment.date())


def test_months_are_closed_in_order(payer):
    close(payer, APRIL)
    with pytest.raises(Conflict):
        close(payer, MARCH)


def test_running_month_cannot_be_closed(payer):
    with pytest.raises(Conflict):
        close(payer, datetime.now(SHANGHAI).date())


def test_numbers_follow_each_other_for_each_tenant(payer, other_payer):
    assert [close(payer).number, close(payer, APRIL).number, close(other_payer).number] == [1, 2, 1]


def test_due_invoices_are_closed_for_every_account(payer, other_payer):
    for who in (payer, other_payer):
        who.spend(0, 1, 1, 0)
    next_month = (datetime.now(SHANGHAI).date().replace(day=1)) - timedelta(days=20)
    assert invoices_close_due(next_month) == 2
    assert invoices_close_due(next_month) == 0
    with payer.tx():
        assert Account.objects.count() == Invoice.objects.count() == 1


def test_closing_is_told(payer, monkeypatch, django_capture_on_commit_callbacks):
    news = []
    monkeypatch.setitem(
        extensions.listeners, "test", lambda name, facts: news.append((name, facts["total"]))
    )
    with django_capture_on_commit_callbacks(execute=True):
        close(payer)
    assert news == [("invoice.closed", "0.00")]


def test_altered_invoice_is_not_given_out(payer, event_at):
    event_at(IN_MARCH, 0, 0, 10_000, 0)
    invoice = close(payer)
    invoice.total = Decimal(1)
    with payer.tx(), pytest.raises(Conflict):
        invoice_document(invoice)
