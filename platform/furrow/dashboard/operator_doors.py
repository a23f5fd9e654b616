"""Doors of the operator's pages: for people with `is_operator` only, and unknown to everybody else."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from furrow.accounts.models import User
from furrow.core.errors import NotFound
from furrow.dashboard.doors import text_of
from furrow.metering.alarms import alarms_open
from furrow.metering.currencies import currencies
from furrow.tenants.services import Actor


@dataclass(frozen=True)
class Currencies:
    """The one a page shows, and those it could show. `query` is empty for the installation's own."""

    current: str
    known: list[str]

    @property
    def query(self) -> str:
        return self.current if self.current != self.known[0] else ""

    def tabs(self, **query: str) -> list[dict[str, Any]]:
        """Links to the same page in each; none where there is only one."""
        if len(self.known) < 2:
            return []
        return [
            {
                "url": f"?{urlencode({**query, 'currency': name})}",
                "label": name,
                "is_current": name == self.current,
            }
            for name in self.known
        ]


def currencies_of(request: HttpRequest) -> Currencies:
    known = currencies()
    wanted = text_of(request, "currency")
    return Currencies(wanted if wanted in known else known[0], known)


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
