"""Is it worth it? People alone against the assistant, with the assumptions beside the result."""

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from furrow.conversations.figures import answers_between
from furrow.dashboard import spans
from furrow.dashboard.doors import actor_of, needs, page_url, refusals_in, say
from furrow.dashboard.forms.assumptions import AssumptionsForm
from furrow.dashboard.views.costs import cost_tabs
from furrow.dashboard.worth import compared
from furrow.metering.assumptions import assumptions_read, assumptions_set
from furrow.metering.spending import spending
from furrow.tenants.web import TenantRequest

FIELDS = ("minutes_per_chat", "wage_per_hour", "solved_percent")


@needs(get="view_costs", post="manage_costs")
def worth(request: TenantRequest) -> HttpResponse:
    span = spans.span_of(request.GET.get("span", ""))
    spent = spending(since=span.since, until=span.until, today=spans.today())
    supposed = assumptions_read()
    initial = {name: getattr(supposed, name) for name in FIELDS}
    form = AssumptionsForm(request.POST or None, currency=spent.currency, initial=initial)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            assumptions_set(actor=actor_of(request), **form.cleaned_data)
            say(request, _("Saved. The comparison counts with it."))
            response = HttpResponse(status=302)
            response["Location"] = f"{page_url(request, 'worth')}?span={span.key}"
            return response
    context = {
        "tabs": cost_tabs(request, "worth"),
        "span": span,
        "span_tabs": spans.span_tabs(span.key),
        "supposed": supposed,
        "form": form,
        "currency": spent.currency,
        "worth": compared(answers_between(span.since, span.until), spent.span, supposed),
    }
    return TemplateResponse(request, "dashboard/worth.html", context)
