"""The page side of tenancy: every URL under /t/<tenant_slug>/ runs as that tenant, for its members only."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse

from furrow.accounts.models import User
from furrow.core.context import tenant_context, tenant_tx
from furrow.core.errors import Refused
from furrow.core.web import EXPECTED, error_page, refusal_page
from furrow.tenants.models import Membership, Tenant
from furrow.tenants.selectors import membership_for


class TenantRequest(HttpRequest):
    """A page request inside a tenant, as views under /t/ receive it."""

    tenant: Tenant
    membership: Membership
    user: User


def asks_model(view: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a view that may call a model: it runs with the tenant set but outside a transaction, because the
    call's hold has to be committed first. It opens `tenant_tx` for what it reads itself.
    """
    view.asks_model = True  # type: ignore[attr-defined]
    return view


class TenantMiddleware:
    """Reads `tenant_slug` from the URL, finds the signed-in user's membership and runs the view inside
    `tenant_tx`. A tenant the user does not belong to answers like one that does not exist.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        args: list[Any],
        kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        slug = kwargs.pop("tenant_slug", None)
        if slug is None:
            return None
        # Django shows errors of `process_view` to no other middleware, so this is the page-side edge here.
        try:
            return self._view(request, view, slug, args, kwargs)
        except EXPECTED as error:
            return refusal_page(request, error)

    def _view(
        self,
        request: HttpRequest,
        view: Callable[..., Any],
        slug: str,
        args: list[Any],
        kwargs: dict[str, Any],
    ) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        membership = membership_for(request.user, slug)
        if membership is None:
            return error_page(request, status=404, message="There is nothing here.")
        scoped = cast(TenantRequest, request)
        scoped.membership, scoped.tenant = membership, membership.tenant
        scope = tenant_context if getattr(view, "asks_model", False) else tenant_tx
        with scope(membership.tenant_id):
            response = cast(HttpResponseBase, view(request, *args, **kwargs))
            if isinstance(response, TemplateResponse):
                with tenant_tx(membership.tenant_id):
                    response.render()
        return response


def require(request: TenantRequest, permission: str) -> None:
    """Raises `Refused` unless the member's role allows `permission` (see `PERMISSIONS`)."""
    if not request.membership.can(permission):
        raise Refused("Your role in this business does not allow this.")
