"""What people decided about the rules."""

from django.template.response import TemplateResponse

from apps.contracts import quality as figures
from apps.contracts.views.doors import tabs
from furrow.dashboard.doors import needs
from furrow.tenants.web import TenantRequest


@needs(get="view")
def quality(request: TenantRequest) -> TemplateResponse:
    context = {
        "summary": figures.summary(),
        "records": figures.rule_records(),
        "tabs": tabs(request, "quality"),
    }
    return TemplateResponse(request, "contracts/quality.html", context)
