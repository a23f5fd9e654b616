"""Invoices as page and PDF: the lines add up, Chinese can be read, and the file never changes."""

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import translation

from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict
from furrow.metering import invoice_font, invoice_paper
from furrow.metering.invoices import invoice_close
from furrow.metering.models import Invoice, InvoiceLine, InvoicePaper
from furrow.tenants.models import Tenant
from tests.dashboard.money import spend_at

MARCH = datetime(2026, 3, 10, 12, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def bill(cast, shop):
    """March: three kinds of text, documents, something we took over, and a rounding."""
    spend_at(cast.tenant.id, MARCH, 100_000, 400_333, 90_777, 5_000, model="青苗-30b")
    spend_at(cast.tenant.id, MARCH, 0, 1_000_000, 0, 0, kind="embedding", model="小模型")
    spend_at(
        cast.tenant.id, MARCH, 0, 0, 20_000, 0, charged=Decimal("0.10"), absorbed=Decimal("0.06")
    )
    with tenant_tx(cast.tenant.id):
        Tenant.objects.filter(id=cast.tenant.id).update(name="南坡果园")
        return invoice_close(month=date(2026, 3, 1))


def text_of(content: bytes) -> str:
    pages = list(pypdfium2.PdfDocument(content))
    return "\n".join(page.get_textpage().get_text_range() for page in pages)


def test_page_shows_every_line_and_their_sum(owner, bill, page):
    owner.cookies["django_language"] = "en"
    response = owner.get(page("invoice", bill.id))
    shown = response.context["lines"]
    assert sum(each["line"].amount for each in shown) == bill.total
    words = [each["words"] for each in shown]
    assert "Answers, text read again" in words
    assert "Answers, thinking" in words
    assert "Documents and searches" in words
    assert "Not charged to you" in words
    text = response.content.decode()
    assert f"¥{bill.total:.2f}" in text
    assert bill.digest in text


def test_list_links_to_every_invoice(owner, bill, shop, page):
    text = owner.get(page("invoices")).content.decode()
    for found in (bill, shop.invoice):
        assert page("invoice", found.id) in text


def test_file_can_be_read_in_chinese_and_adds_up(owner, bill, page, settings):
    settings.INVOICE_ISSUER = "青禾小镇软件工作室|浙江省竹溪镇老街 8 号|税号 91330000MA0000000X"
    response = owner.get(page("invoice_pdf", bill.id))
    assert response["Content-Type"] == "application/pdf"
    assert "furrow-orchard-0002.pdf" in response["Content-Disposition"]
    text = text_of(response.content)
    for words in (
        "第 2 号账单", "南坡果园", "2026年3月", "青禾小镇软件工作室", "税号 91330000MA0000000X",
        "回答：读入文字", "青苗-30b", "400,333", "不能代替发票", bill.digest, f"{bill.total:,.2f} CNY",
    ):  # fmt: skip
        assert words in text, words
    with tenant_tx(bill.tenant_id):
        for line in InvoiceLine.objects.filter(invoice=bill):
            assert f"{line.amount:,.2f}" in text


@pytest.mark.skipif(invoice_font.font_place() is None, reason="no Chinese font on this machine")
def test_characters_are_in_the_file_itself(cast, bill):
    with tenant_tx(cast.tenant.id), translation.override("zh-hans"):
        lines = list(InvoiceLine.objects.filter(invoice=bill).order_by("position"))
        content = invoice_paper.draw(bill, lines, business="南坡果园", issuer="青禾")
    assert b"/FontFile2" in content
    assert b"STSong" not in content
    assert len(content) < 100_000


@pytest.mark.skipif(invoice_font.font_place() is None, reason="no Chinese font on this machine")
@pytest.mark.slow
def test_each_file_has_the_characters_of_its_own_words(cast, bill):
    """Two invoices drawn by one process."""
    with tenant_tx(cast.tenant.id), translation.override("zh-hans"):
        for business in ("霍山石斛", "淇县缠丝鸭", "霍山石斛"):
            content = invoice_paper.draw(bill, [], business=business, issuer="")
            assert business in text_of(content)


def test_file_names_the_day_that_it_was_where_the_business_is(cast, bill):
    """Late in the evening in Greenwich the next day has begun in China."""
    bill.created_at = datetime(2026, 4, 1, 17, tzinfo=UTC)
    with tenant_tx(cast.tenant.id), translation.override("zh-hans"):
        assert "2026年4月2日" in text_of(invoice_paper.draw(bill, [], business="x", issuer=""))


@pytest.mark.parametrize("named", ["/nowhere.ttf", __file__])
def test_without_a_font_the_reader_has_to_have_one(cast, bill, settings, named):
    """Neither a missing file nor one that is no font stops an invoice."""
    settings.INVOICE_FONT = named
    with tenant_tx(cast.tenant.id), translation.override("zh-hans"):
        content = invoice_paper.draw(bill, [], business="南坡果园", issuer="")
    assert b"/FontFile2" not in content
    assert b"STSong-Light" in content
    assert "南坡果园" in text_of(content)


@pytest.mark.slow
def test_english_business_gets_an_english_file(owner, cast, bill, page):
    with tenant_tx(cast.tenant.id):
        Tenant.objects.filter(id=cast.tenant.id).update(language="en", name="Orchard & Sons")
    text = text_of(owner.get(page("invoice_pdf", bill.id)).content)
    assert "Bill number 2" in text
    assert "Orchard & Sons" in text
    assert "To pay" in text


@pytest.mark.slow
def test_drawing_twice_gives_the_same_bytes(cast, bill):
    with tenant_tx(cast.tenant.id):
        lines = list(InvoiceLine.objects.filter(invoice=bill).order_by("position"))
        first, second = (
            invoice_paper.draw(bill, lines, business="南坡果园", issuer="青禾") for _ in range(2)
        )
    assert first == second
    assert first.startswith(b"%PDF")


def test_file_stays_the_same_whatever_changes_later(owner, cast, bill, page, settings, monkeypatch):
    first = owner.get(page("invoice_pdf", bill.id)).content
    settings.INVOICE_ISSUER = "somebody else"
    monkeypatch.setattr(invoice_paper, "RIGHT", 300)
    with tenant_tx(cast.tenant.id):
        Tenant.objects.filter(id=cast.tenant.id).update(name="New name", language="en")
    again = owner.get(page("invoice_pdf", bill.id)).content
    assert again == first
    with tenant_tx(cast.tenant.id):
        assert InvoicePaper.objects.get().digest == hashlib.sha256(first).hexdigest()


@pytest.mark.slow
def test_long_bill_goes_on_on_the_next_page(cast, bill):
    line = InvoiceLine(
        kind="chat", model="m" * 160, bucket="out", tokens=1, per_million=Decimal(8),
        exact=Decimal(1), amount=Decimal(1),
    )  # fmt: skip
    with tenant_tx(cast.tenant.id):
        content = invoice_paper.draw(bill, [line] * 60, business="b", issuer="")
    assert len(pypdfium2.PdfDocument(content)) == 4
    assert text_of(content).count("1.00") >= 60


def test_kept_file_cannot_be_changed_nor_made_twice(cast, bill):
    with tenant_tx(cast.tenant.id):
        invoice_paper.invoice_pdf(bill)
    for sql in (
        "UPDATE metering_invoicepaper SET digest = 'x'",
        "DELETE FROM metering_invoicepaper",
    ):
        with (
            pytest.raises(ProgrammingError),
            tenant_tx(cast.tenant.id),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
    with tenant_tx(cast.tenant.id), pytest.raises(IntegrityError), transaction.atomic():
        InvoicePaper.objects.create(invoice=bill, language="en", content=b"", digest="")


def test_altered_invoice_is_not_given_out_as_a_file(cast, bill):
    with tenant_tx(cast.tenant.id):
        altered = Invoice.objects.get(id=bill.id)
        altered.total = Decimal(1)
        with pytest.raises(Conflict):
            invoice_paper.invoice_pdf(altered)


def test_stranger_gets_no_file_of_another_business(cast, bill):
    stranger = cast.client(cast.stranger)
    for slug in (cast.tenant.slug, cast.other_tenant.slug):
        url = f"/t/{slug}/costs/invoices/{bill.id}/pdf/"
        assert stranger.get(url).status_code == 404
