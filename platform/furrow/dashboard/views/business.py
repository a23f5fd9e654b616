"""The business itself and its audit log."""

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.core.extensions import extensions
from furrow.dashboard.doors import actor_of, go_to, needs, paged, refusals_in, say
from furrow.dashboard.forms.business import BusinessForm
from furrow.dashboard.selectors import audit_list
from furrow.tenants import services
from furrow.tenants.web import TenantRequest


@needs(get="manage_members")
def audit(request: TenantRequest) -> TemplateResponse:
    context = {"page": paged(request, audit_list(), per_page=50)}
    return TemplateResponse(request, "dashboard/audit.html", context)


@needs(get="manage_tenant", post="manage_tenant")
def settings(request: TenantRequest) -> HttpResponse:
    tenant = request.tenant
    initial = {
        "name": tenant.name,
        "language": tenant.language,
        "trades": [key for key in extensions.trades if key not in tenant.hidden_trades],
    }
    form = BusinessForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        shown = form.cleaned_data.pop("trades")
        with refusals_in(form):
            services.trades_show(actor=actor_of(request), tenant=tenant, shown=shown)
            services.tenant_update(actor=actor_of(request), tenant=tenant, **form.cleaned_data)
            say(request, _("Saved."))
            return go_to(request, "settings")
    return TemplateResponse(request, "dashboard/settings.html", {"form": form})
