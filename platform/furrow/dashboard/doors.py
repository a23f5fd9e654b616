"""How views let people in, report what they did and turn a service's refusal into a form error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from furrow.core.errors import AppError, NotFound
from furrow.dashboard.templatetags.ui import UNDO_TAG
from furrow.tenants.services import Actor
from furrow.tenants.web import TenantRequest, require

View = Callable[..., Any]


def needs(*, get: str = "", post: str = "") -> Callable[[View], View]:
    """The permission each method of a view takes; a method without one is refused.

    The decorated view carries both as `permissions`, which a test reads for every route.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: TenantRequest, *args: Any, **kwargs: Any) -> Any:
            method = "GET" if request.method == "HEAD" else str(request.method)
            permission = {"GET": get, "POST": post}.get(method, "")
            if not permission:
                return HttpResponseNotAllowed([m for m, p in (("GET", get), ("POST", post)) if p])
            require(request, permission)
            return view(request, *args, **kwargs)

        checked.permissions = {"GET": get, "POST": post}  # type: ignore[attr-defined]
        return checked

    return decorate


def actor_of(request: TenantRequest) -> Actor:
    return Actor.user(request.user)


def page_url(request: TenantRequest, name: str, *args: Any) -> str:
    return reverse(f"dashboard:{name}", args=[request.tenant.slug, *args])


def go_to(request: TenantRequest, name: str, *args: Any) -> HttpResponse:
    return redirect(page_url(request, name, *args))


def say(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Reports success in a toast, with an undo button when `undo` is an address to post to."""
    messages.success(request, text, extra_tags=f"{UNDO_TAG}{undo}" if undo else "")


@contextmanager
def refusals_in(form: forms.BaseForm) -> Iterator[None]:
    """A service's `AppError` becomes an error of the form; what it had begun to write is rolled back."""
    try:
        with transaction.atomic():
            yield
    except AppError as error:
        field = str(error.details.get("field", ""))
        form.add_error(field if field in form.fields else None, _(str(error.message)))


def kept_of(request: TenantRequest, key: str) -> dict[str, Any]:
    """What a page kept in the session to undo its last step in this business; given once."""
    kept: dict[str, Any] | None = request.session.pop(key, None)
    if kept is None or kept["tenant"] != str(request.tenant.id):
        raise NotFound(_("There is nothing to undo."))
    return kept


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def text_of(request: HttpRequest, name: str) -> str:
    """A query or form value, stripped; empty when absent. The database stores no NUL characters."""
    source = request.POST if request.method == "POST" else request.GET
    return source.get(name, "").replace("\x00", "").strip()


def id_of(text: str) -> UUID:
    """An id that came as text; what is none becomes the id of nothing, and is answered like one."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def paged(request: HttpRequest, rows: Any, *, per_page: int = 25) -> Page[Any]:
    """The page asked for by `?page=`; a number out of range gives the nearest one."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


def form_page(
    request: TenantRequest,
    form: forms.BaseForm,
    *,
    title: str,
    submit: str,
    back: str,
    text: str = "",
) -> TemplateResponse:
    """A form as a page of its own, or as the body of the dialog when htmx asks."""
    template = "dashboard/_form.html" if request.htmx else "dashboard/form.html"  # type: ignore[attr-defined]
    context = {"form": form, "title": title, "submit": submit, "back": back, "text": text}
    return TemplateResponse(request, template, {**context, "action": request.get_full_path()})
