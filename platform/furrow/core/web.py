"""What every page and answer passes: a request id, security headers, and the page-side error edge."""

import secrets
import uuid
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from furrow.core.errors import AppError, Busy
from furrow.core.logs import get_logger, request_id_var

log = get_logger(__name__)


class RequestIdMiddleware:
    """Gives each request an id, for logs, error bodies and the `X-Request-Id` header."""

    async_capable = sync_capable = True

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if iscoroutinefunction(self.get_response):
            return self._acall(request)
        token = request_id_var.set(str(uuid.uuid4()))
        try:
            return self._stamp(self.get_response(request))
        finally:
            request_id_var.reset(token)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        token = request_id_var.set(str(uuid.uuid4()))
        try:
            return self._stamp(await self.get_response(request))
        finally:
            request_id_var.reset(token)

    def _stamp(self, response: HttpResponseBase) -> HttpResponseBase:
        response.headers["X-Request-Id"] = request_id_var.get()
        return response


class SecurityHeadersMiddleware:
    """Content-Security-Policy without `unsafe-inline`; `request.csp_nonce` marks the rare inline script."""

    async_capable = sync_capable = True

    def __init__(self, get_response: Callable[..., Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        if iscoroutinefunction(self.get_response):
            return self._acall(request)
        return self._stamp(request, self.get_response(request))

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        return self._stamp(request, await self.get_response(request))

    def _stamp(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        nonce = request.csp_nonce  # type: ignore[attr-defined]
        response.headers.setdefault(
            "Content-Security-Policy",
            f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self';"
            " img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none';"
            " form-action 'self'; frame-ancestors 'none'",
        )
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), payment=()")
        return response


# What pages answer in words; anything else is a fault of ours.
EXPECTED = (AppError, OperationalError)
# Whoever calls this expects JSON, whatever they say they accept.
API_PATH = "/api/"


class PageErrorMiddleware:
    """Turns an `AppError` of a page view into a plain page (or htmx message); the API has its own edge."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 405 and request.path.startswith(API_PATH):
            message = _("This address does not take %(method)s.") % {"method": request.method}
            refusal = error_page(request, status=405, message=message)
            refusal.headers["Allow"] = response.headers.get("Allow", "")
            return refusal
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refusal_page(request, error) if isinstance(error, EXPECTED) else None


def refusal_page(request: HttpRequest, error: Exception) -> HttpResponse:
    """The page for one of `EXPECTED`. A database without room is no fault of ours and passes by itself."""
    if isinstance(error, AppError):
        return error_page(request, status=error.status, message=str(error.message))
    log.warning("page_postponed", error=type(error).__name__)
    page = error_page(
        request,
        status=Busy.status,
        message=_(
            "Too many people are here right now. Nothing was changed; try again in a few seconds."
        ),
    )
    page.headers["Retry-After"] = str(Busy().details["retry_after_s"])
    return page


def error_page(request: HttpRequest, *, status: int, message: str) -> HttpResponse:
    """The message is a catalogue key or already translated; scripts that ask for JSON get the API's shape."""
    message, request_id = _(message), request_id_var.get()
    is_program = request.path.startswith(API_PATH)
    if is_program or "application/json" in request.headers.get("Accept", ""):
        code = {404: "not_found", 405: "method_not_allowed"}.get(status, "refused")
        error = {"code": code, "message": message, "details": {}, "request_id": request_id}
        return JsonResponse({"error": error}, status=status)
    context = {"status": status, "message": message, "request_id": request_id}
    is_partial = bool(getattr(request, "htmx", False))
    template = "errors/_message.html" if is_partial else "errors/page.html"
    return render(request, template, context, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    message = _("This form was open too long or was sent from another site. Load the page again.")
    return error_page(request, status=403, message=message)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(request, status=404, message=_("There is nothing here."))


def server_error(request: HttpRequest) -> HttpResponse:
    message = _("Something went wrong on our side. What you saved is kept; please try again.")
    return error_page(request, status=500, message=message)


def client_ip(request: HttpRequest) -> str:
    """The visitor's address, trusting exactly TRUSTED_PROXY_COUNT entries of X-Forwarded-For."""
    remote = str(request.META.get("REMOTE_ADDR") or "")
    count = settings.TRUSTED_PROXY_COUNT
    forwarded = [
        p.strip() for p in request.headers.get("X-Forwarded-For", "").split(",") if p.strip()
    ]
    return forwarded[-count] if count and len(forwarded) >= count else remote
