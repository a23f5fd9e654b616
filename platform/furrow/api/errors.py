"""The API's edge: every failure leaves as `{"error": {"code", "message", "details", "request_id"}}`."""

from typing import Any

from django.db import DataError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from furrow.core.errors import AppError, Busy, NotSignedIn
from furrow.core.logs import get_logger, request_id_var

log = get_logger(__name__)


def error_body(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "error": {
            "code": code,
            "message": message,
            "details": details or {},
            "request_id": request_id_var.get(),
        }
    }


def install(api: NinjaAPI) -> None:
    """Registers the handlers. The last one catches everything: the API is one of the four edges."""

    def answer(request: HttpRequest, error: Any) -> HttpResponse:
        body = error_body(error.code, str(error.message), error.details)
        return _told(api.create_response(request, body, status=error.status), error)

    def not_signed_in(request: HttpRequest, error: Any) -> HttpResponse:
        return answer(request, NotSignedIn("Send an API key: Authorization: Bearer fr_key_…"))

    def not_valid(request: HttpRequest, error: Any) -> HttpResponse:
        fields = [
            {"field": ".".join(str(p) for p in item["loc"][1:]), "problem": item["msg"]}
            for item in error.errors
        ]
        body = error_body("invalid", "Some fields are wrong.", {"fields": fields})
        return api.create_response(request, body, status=422)

    def http_error(request: HttpRequest, error: Any) -> HttpResponse:
        body = error_body("invalid", str(error))
        return api.create_response(request, body, status=error.status_code)

    def missing(request: HttpRequest, error: Any) -> HttpResponse:
        return api.create_response(request, error_body("not_found", "Not found."), status=404)

    def not_storable(request: HttpRequest, error: Any) -> HttpResponse:
        log.warning("api_not_storable", route=_route_of(request), error=type(error).__name__)
        message = "A text holds a NUL character, or a value is too large to be stored. Nothing was saved; leave it out."
        return api.create_response(request, error_body("invalid", message), status=422)

    def postponed(request: HttpRequest, error: Any) -> HttpResponse:
        log.warning("api_postponed", route=_route_of(request), error=type(error).__name__)
        return answer(request, Busy())

    def crashed(request: HttpRequest, error: Any) -> HttpResponse:
        log.error("api_crashed", route=_route_of(request), exc_info=error)
        body = error_body("internal", "Something went wrong on our side; nothing was saved.")
        return api.create_response(request, body, status=500)

    api.add_exception_handler(AppError, answer)
    api.add_exception_handler(AuthenticationError, not_signed_in)
    api.add_exception_handler(ValidationError, not_valid)
    api.add_exception_handler(HttpError, http_error)
    api.add_exception_handler(Http404, missing)
    api.add_exception_handler(DataError, not_storable)
    api.add_exception_handler(OperationalError, postponed)
    api.add_exception_handler(Exception, crashed)


def _route_of(request: HttpRequest) -> str:
    """For the log: the pattern, as an address may name people."""
    return request.resolver_match.route if request.resolver_match else ""


def _told(response: HttpResponse, error: AppError) -> HttpResponse:
    if retry_after := error.details.get("retry_after_s"):
        response.headers["Retry-After"] = str(retry_after)
    if error.status == NotSignedIn.status:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
