"""The monthly report: how visitors were served, in plain words, and as a paper to keep."""

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format

from furrow.dashboard.doors import needs
from furrow.dashboard.service_words import month_of, months_before, report_make
from furrow.tenants.web import TenantRequest


@needs(get="view")
def service(request: TenantRequest) -> TemplateResponse:
    """Money only for those who may see costs."""
    since, until = month_of(request.GET.get("month", ""))
    months = [
        {
            "value": f"{first:%Y-%m}",
            "label": date_format(first, "YEAR_MONTH_FORMAT"),
            "is_current": first == since,
        }
        for first in months_before(timezone.localdate().replace(day=1))
    ]
    with_money = request.membership.can("view_costs")
    context = {
        "report": report_make(since=since, until=until, with_money=with_money),
        "months": months,
        "month": f"{since:%Y-%m}",
    }
    return TemplateResponse(request, "dashboard/service.html", context)


@needs(get="view")
def service_pdf(request: TenantRequest) -> HttpResponse:
    from furrow.dashboard.report_paper import report_pdf  # noqa: PLC0415  a drawing library

    since, until = month_of(request.GET.get("month", ""))
    with_money = request.membership.can("view_costs")
    report = report_make(since=since, until=until, with_money=with_money)
    content = report_pdf(report, business=request.tenant.name)
    response = HttpResponse(content, content_type="application/pdf")
    name = f"furrow-{request.tenant.slug}-report-{since:%Y-%m}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
