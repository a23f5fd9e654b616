"""The days of all contracts, the next one first."""

from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse

from apps.contracts import selectors
from apps.contracts.services.contracts import obligation_set
from apps.contracts.views.doors import go_contracts, tabs
from furrow.dashboard.doors import needs, paged, text_of
from furrow.tenants.web import TenantRequest


@needs(get="view")
def dates(request: TenantRequest) -> TemplateResponse:
    is_past = text_of(request, "past") == "1"
    context = {
        "page": paged(request, selectors.obligations_list(is_past=is_past)),
        "tabs": tabs(request, "dates"),
        "is_past": is_past,
    }
    return TemplateResponse(request, "contracts/dates.html", context)


@needs(post="answer")
def date_done(request: TenantRequest, obligation_id: UUID) -> HttpResponse:
    found = selectors.obligation_get(obligation_id)
    obligation_set(obligation=found, is_done=request.POST.get("is_done") == "1")
    return go_contracts(request, "dates")
