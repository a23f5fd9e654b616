"""The bills of closed months: list, page, and the file."""

from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from furrow.dashboard import spans
from furrow.dashboard.doors import needs, paged
from furrow.dashboard.views.costs import cost_tabs
from furrow.metering import invoices as services
from furrow.metering import selectors
from furrow.metering.accounts_overview import entries_by_hand
from furrow.metering.invoice_words import line_model, line_words
from furrow.metering.spending import spending
from furrow.tenants.web import TenantRequest


@needs(get="view_costs")
def invoices(request: TenantRequest) -> TemplateResponse:
    today = timezone.localdate()
    context = {
        "tabs": cost_tabs(request, "invoices"),
        "page": paged(request, selectors.invoices_list()),
        "running": spending(since=today, until=today, today=today),
        "month": today,
        "next_month": spans.month_after(today),
        "entries": entries_by_hand(),
    }
    return TemplateResponse(request, "dashboard/invoices.html", context)


@needs(get="view_costs")
def invoice(request: TenantRequest, invoice_id: UUID) -> TemplateResponse:
    found = services.invoice_get(invoice_id)
    lines = [
        {"words": line_words(line), "model": line_model(line), "line": line}
        for line in found.lines.order_by("position")
    ]
    context = {"invoice": found, "lines": lines, "tabs": cost_tabs(request, "invoices")}
    return TemplateResponse(request, "dashboard/invoice.html", context)


@needs(get="view_costs")
def invoice_pdf(request: TenantRequest, invoice_id: UUID) -> HttpResponse:
    from furrow.metering.invoice_paper import invoice_pdf as pdf_of  # noqa: PLC0415  a drawing library

    found = services.invoice_get(invoice_id)
    response = HttpResponse(pdf_of(found), content_type="application/pdf")
    name = f"furrow-{request.tenant.slug}-{found.number:04d}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
