"""The widget's edge: cross-origin headers, the session, idempotency, and every failure as the house words it.

There is no cookie and no other credential that a browser adds by itself, so a forged cross-site request carries
no rights and needs no CSRF token. A preflight names no visitor and no widget: it is answered for any site with
what methods and headers exist, and the call that follows is checked. A refusal carries the origin too, because
the widget must be able to read why; whatever else is answered went through the check first.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt

from furrow.assistants.language import short_language
from furrow.channels import limits
from furrow.channels.origins import is_origin
from furrow.channels.sessions import Visit, origin_refused, session_check, session_ended
from furrow.channels.wording import sentence
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError, Busy, Invalid, TooLarge
from furrow.core.logs import get_logger, request_id_var
from furrow.tenants.idempotency import fingerprint, run_once

log = get_logger(__name__)

MAX_BODY_BYTES = 16 * 1024
Result = HttpResponseBase | tuple[int, Any]
# A first attempt that still runs is no refusal: 425 tells the widget to ask again under the same key.
_STATUS_OF = {"idempotency_in_flight": 425}


class WidgetRequest(HttpRequest):
    """A request from a page; `widget_language` words its errors once the language is known."""

    widget_language: str


class _WrongMethod(AppError):
    status, code = 405, "method_not_allowed"


def endpoint(method: str) -> Callable[[Callable[..., Result]], Callable[..., HttpResponseBase]]:
    """Makes a view of the widget's API out of a function that returns a status and a JSON-able body."""

    def decorate(view: Callable[..., Result]) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @wraps(view)
        def run(request: WidgetRequest, **kwargs: str) -> HttpResponseBase:
            request.widget_language = short_language(get_language() or "zh")
            if request.method == "OPTIONS":
                return _with_cors(request, _preflight())
            try:
                if request.method != method:
                    raise _WrongMethod("Method not allowed.", allowed=method)
                result = view(request, **kwargs)
            except AppError as error:
                result = _failure(request, error)
            except OperationalError as error:
                # No connection to be had, or none in time: a crowd, or a database that restarts.
                log.warning("widget_call_postponed", view=view.__name__, error=type(error).__name__)
                result = _failure(request, Busy())
            except Exception:
                log.exception("widget_call_crashed", view=view.__name__)
                result = _failure(request, AppError("internal"))
            if isinstance(result, tuple):
                status, body = result
                result = JsonResponse(body, status=status)
            return _with_cors(request, result)

        return run

    return decorate


def visited(view: Callable[..., Result]) -> Callable[..., Result]:
    """Checks the session and hands the view its `Visit`, inside one transaction. A POST gets its body too, and
    is done once for each `Idempotency-Key`.
    """

    @wraps(view)
    def run(request: WidgetRequest, **kwargs: str) -> Result:
        visit = visit_of(request)
        if request.method != "POST":
            with tenant_tx(visit.tenant_id):
                return view(visit, **kwargs)
        body = json_body(request)
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            with tenant_tx(visit.tenant_id):
                return view(visit, body, **kwargs)
        return run_once(
            tenant_id=visit.tenant_id,
            caller=visit.caller,
            key=key,
            digest=fingerprint(request),
            action=lambda: view(visit, body, **kwargs),  # type: ignore[arg-type,return-value]
        )

    return run


def uploaded(most_bytes: int) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """As `visited`, for a POST whose body is a file: the view gets its bytes, and no transaction, for reading them takes
    longer than one may be open. Done a second time, only after a process died in the middle of it, it must do no harm.
    """

    def decorate(view: Callable[..., Result]) -> Callable[..., Result]:
        @wraps(view)
        def run(request: WidgetRequest, **kwargs: str) -> Result:
            visit = visit_of(request)
            if not (request.content_type or "").startswith("image/"):
                raise Invalid("Send a picture.", code="not_a_photo")
            data = _body_within(request, most_bytes, code="photo_too_large")
            key = request.headers.get("Idempotency-Key", "")
            if not key:
                return view(visit, data, **kwargs)
            return run_once(
                tenant_id=visit.tenant_id,
                caller=visit.caller,
                key=key,
                digest=fingerprint(request),
                action=lambda: view(visit, data, **kwargs),  # type: ignore[arg-type,return-value]
                in_transaction=False,
            )

        return run

    return decorate


def visit_of(request: WidgetRequest) -> Visit:
    """The checked session of this call, counted against the visitor's limit."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise session_ended()
    visit = session_check(token=token, origin=site_of(request))
    request.widget_language = visit.language
    limits.call_count(visit)
    return visit


def site_of(request: HttpRequest) -> str:
    """The site that the browser says the page is on. A page of our own host sends no `Origin` with a GET, only
    a header that no script can set.
    """
    origin = request.headers.get("Origin", "")
    if not origin and request.headers.get("Sec-Fetch-Site") == "same-origin":
        origin = f"{request.scheme}://{request.get_host()}"
    if not is_origin(origin):
        raise origin_refused()
    return origin


def json_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a POST."""
    data = _body_within(request, MAX_BODY_BYTES)
    if request.content_type != "application/json":
        raise Invalid("Send JSON.")
    try:
        body = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        raise Invalid("This is not valid JSON.") from None
    if not isinstance(body, dict):
        raise Invalid("Send a JSON object.")
    return body


def _body_within(request: HttpRequest, most_bytes: int, code: str | None = None) -> bytes:
    """A length must be told beforehand, so that nothing larger is ever read."""
    length = request.headers.get("Content-Length", "")
    if not length.isascii() or not length.isdigit():
        raise Invalid("Content-Length is missing.")
    if int(length) > most_bytes or len(request.body) > most_bytes:
        raise TooLarge("The request is too large.", code=code, limit_bytes=most_bytes)
    return request.body


def text_field(body: dict[str, Any], name: str, *, length: int, code: str | None = None) -> str:
    """A text of the body, empty when absent; `code` names the error of one that is too long."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a text.", field=name)
    try:
        # Halves of surrogate pairs are legal JSON and no text that a database takes.
        value.encode()
    except UnicodeEncodeError:
        raise Invalid(f"{name} is not valid text.", field=name) from None
    value = value.replace("\x00", "").strip()
    if len(value) > length:
        raise Invalid(f"{name} may have up to {length} characters.", code=code, field=name)
    return value


def _preflight() -> HttpResponse:
    response = HttpResponse(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = (
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
    )
    response.headers["Access-Control-Max-Age"] = "600"
    return response


def _with_cors(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    origin = request.headers.get("Origin", "")
    if is_origin(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After, X-Request-Id"
    patch_vary_headers(response, ["Origin"])
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _failure(request: WidgetRequest, error: AppError) -> HttpResponse:
    status = _STATUS_OF.get(error.code, error.status)
    body = {
        "code": error.code,
        "message": sentence(error.code, request.widget_language, status=status),
        "details": error.details,
        "request_id": request_id_var.get(),
    }
    response = JsonResponse({"error": body}, status=status)
    if retry_after_s := error.details.get("retry_after_s"):
        response.headers["Retry-After"] = str(retry_after_s)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 405:
        response.headers["Allow"] = f"{error.details['allowed']}, OPTIONS"
    return response
