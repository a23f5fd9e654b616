"""What servers outside call: signed messages of the business's own program, and WeChat's callbacks.

There is no cookie, so no CSRF token; the tenant is found by the key in the path and believed only after the signature.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from furrow.channels.models import Connection
from furrow.channels.outside import rest
from furrow.channels.outside.connections import connection_address, connection_on_duty
from furrow.channels.outside.wechat import channel as wechat
from furrow.core.context import tenant_tx
from furrow.core.errors import AppError, Busy, Invalid, NotFound, TooLarge
from furrow.core.keys import tenant_key
from furrow.core.logs import get_logger, request_id_var
from furrow.core.rates import rate_check

log = get_logger(__name__)
CALLS_PER_MINUTE = 600
MAX_BODY_BYTES = rest.MAX_BODY_BYTES


def hook(kind: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """A view that gets the channel its key names, inside one transaction; the view checks the signature first."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def run(request: HttpRequest, public_key: str) -> HttpResponse:
            try:
                body = _body(request)
                address = connection_address(public_key, kind)
                if address is None:
                    raise NotFound("There is nothing here.")
                tenant_id, connection_id = address
                key = tenant_key(tenant_id, "hooks", connection_id)
                rate_check(f"{CALLS_PER_MINUTE}/minute", key, message="Too many calls.")
                with tenant_tx(tenant_id):
                    connection = connection_on_duty(connection_id)
                    if connection is None:
                        raise NotFound("There is nothing here.")
                    return view(request, connection, body)
            except AppError as error:
                return _failure(error)
            except OperationalError as error:
                log.warning("hook_postponed", kind=kind, error=type(error).__name__)
                return _failure(Busy())

        return run

    return decorate


@hook(Connection.Kind.REST)
def message_in(request: HttpRequest, connection: Connection, body: bytes) -> HttpResponse:
    """A message of an outside user, signed as our own webhooks are. 202 when it is new, 200 for a repetition."""
    if request.method != "POST":
        raise _WrongMethod("Method not allowed.")
    rest.signature_check(connection, request.headers.get("Furrow-Signature", ""), body)
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise Invalid("This is not valid JSON.") from None
    message, is_new = rest.rest_take(connection, rest.arrived_of(told))
    answer = {"id": message.external_id, "turn_id": str(message.turn_id)}
    return JsonResponse(answer, status=202 if is_new else 200)


@hook(Connection.Kind.WECHAT)
def wechat_call(request: HttpRequest, connection: Connection, body: bytes) -> HttpResponse:
    """GET asks whether this address is ours, POST says that there is something to read."""
    query = {name: str(value)[:2000] for name, value in request.GET.items()}
    if request.method == "GET":
        return HttpResponse(wechat.address_confirmed(connection, query), content_type="text/plain")
    if request.method != "POST":
        raise _WrongMethod("Method not allowed.")
    wechat.told(connection, query, body)
    return HttpResponse("success", content_type="text/plain")


class _WrongMethod(AppError):
    status, code = 405, "method_not_allowed"


def _body(request: HttpRequest) -> bytes:
    length = request.headers.get("Content-Length") or "0"
    if not length.isascii() or not length.isdigit():
        raise Invalid("Content-Length is missing.")
    if int(length) > MAX_BODY_BYTES or len(request.body) > MAX_BODY_BYTES:
        raise TooLarge("The request is too large.", limit_bytes=MAX_BODY_BYTES)
    return request.body


def _failure(error: AppError) -> HttpResponse:
    body = {
        "code": error.code,
        "message": str(error.message),
        "details": {},
        "request_id": request_id_var.get(),
    }
    response = JsonResponse({"error": body}, status=error.status)
    if retry_after_s := error.details.get("retry_after_s"):
        response.headers["Retry-After"] = str(retry_after_s)
    return response
