"""Orders as the platforms tell them, and what customers want done with them."""

from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.support import selectors
from apps.support.models import Order, StaffRequest
from apps.support.services import requests as services
from apps.support.views.doors import go_shop, shop_url
from furrow.dashboard.doors import actor_of, needs, paged, say, text_of
from furrow.tenants.web import TenantRequest


@needs(get="view")
def orders(request: TenantRequest) -> TemplateResponse:
    query, status = text_of(request, "q"), text_of(request, "status")
    context = {
        "page": paged(request, selectors.orders_found(query, status)),
        "query": query,
        "status": status,
        "statuses": Order.Status.choices,
        "is_filtered": bool(query or status),
        "tabs": _tabs(request, "orders"),
    }
    return TemplateResponse(request, "support/orders.html", context)


@needs(get="view")
def order(request: TenantRequest, order_id: UUID) -> TemplateResponse:
    context = {"order": selectors.order_get(order_id)}
    return TemplateResponse(request, "support/order.html", context)


@needs(get="view")
def requests(request: TenantRequest) -> TemplateResponse:
    state = text_of(request, "state")
    shown = state if state in StaffRequest.State.values else StaffRequest.State.OPEN
    context = {
        "page": paged(request, selectors.requests_list(shown)),
        "state": shown,
        "states": StaffRequest.State.choices,
        "tabs": _tabs(request, "requests"),
    }
    return TemplateResponse(request, "support/requests.html", context)


@needs(post="answer")
def request_decide(request: TenantRequest, request_id: UUID) -> HttpResponse:
    row = selectors.request_get(request_id)
    row = services.request_decide(
        actor=actor_of(request),
        request=row,
        is_done=request.POST.get("is_done") == "1",
        note=text_of(request, "note"),
        user_id=request.user.pk,
    )
    say(request, _("Settled: %(state)s.") % {"state": row.get_state_display()})
    return go_shop(request, "requests")


def _tabs(request: TenantRequest, current: str) -> list[dict[str, object]]:
    waiting = selectors.requests_list().count()
    return [
        {
            "url": shop_url(request, "orders"),
            "label": _("Orders"),
            "is_current": current == "orders",
        },
        {
            "url": shop_url(request, "requests"),
            "label": _("Wishes of customers"),
            "is_current": current == "requests",
            "count": waiting,
        },
    ]
