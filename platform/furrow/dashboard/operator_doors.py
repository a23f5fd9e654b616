"""Doors of the operator's pages: for people with `is_operator` only, and unknown to everybody else."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from furrow.accounts.models import User
from furrow.core.errors import NotFound
from furrow.metering.alarms import alarms_open
from furrow.tenants.services import Actor

View = Callable[..., Any]
SECTIONS = ("overview", "tenants", "prices", "machines", "comparison")


class OperatorRequest(HttpRequest):
    """A request of somebody who runs the installation."""

    user: User


def operators(*methods: str) -> Callable[[View], View]:
    """Lets operators in with these methods. To others the page does not exist; the decorated view carries
    `is_for_operators`, which a test reads for every route.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            user = request.user
            if not user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not user.is_active or not user.is_operator:
                raise NotFound("There is nothing here.")
            method = "GET" if request.method == "HEAD" else request.method
            if method not in methods:
                return HttpResponseNotAllowed(methods)
            return view(request, *args, **kwargs)

        checked.is_for_operators = True  # type: ignore[attr-defined]
        return checked

    return decorate


def operator_page(
    request: HttpRequest, section: str, template: str, context: dict[str, Any]
) -> HttpResponse:
    """A page with the operator's navigation, the alarm and the advice to use a second step."""
    labels = {
        "overview": (_("Overview"), "coins"),
        "tenants": (_("Businesses"), "people"),
        "prices": (_("Prices"), "log"),
        "machines": (_("Machines"), "machine"),
        "comparison": (_("Comparison"), "scales"),
    }
    sections = [
        {
            "url": reverse(f"operator:{name}"),
            "label": labels[name][0],
            "icon": labels[name][1],
            "is_current": name == section,
        }
        for name in SECTIONS
    ]
    shared = {
        "sections": sections,
        "alarms": alarms_open(),
        "has_second_step": is_mfa_enabled(cast(OperatorRequest, request).user),
    }
    return TemplateResponse(request, template, {**shared, **context})


def operator_actor(request: HttpRequest) -> Actor:
    return Actor.user(cast(OperatorRequest, request).user)
