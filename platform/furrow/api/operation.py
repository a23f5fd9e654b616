"""What every API operation passes: scope check, tenant transaction and idempotency."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from ninja import Status

from furrow.api.auth import Credential
from furrow.api.idempotency import fingerprint, run_once
from furrow.core.context import tenant_tx


class ApiRequest(HttpRequest):
    """A request whose credential was checked."""

    auth: Credential


def operation(scope: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wraps a view that returns a status and a JSON-able body. It runs as the credential's tenant, in one
    transaction, once for each `Idempotency-Key`.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            credential = cast(ApiRequest, request).auth
            credential.require(scope)
            key = request.headers.get("Idempotency-Key", "")
            if request.method == "POST" and key:
                status, body = run_once(
                    tenant_id=credential.tenant_id,
                    caller=credential.caller,
                    key=key,
                    digest=fingerprint(request),
                    action=lambda: view(request, *args, **kwargs),
                )
                return Status(status, body)
            with tenant_tx(credential.tenant_id):
                result = view(request, *args, **kwargs)
            return Status(*result) if isinstance(result, tuple) else result

        return run

    return decorate


def no_content() -> HttpResponse:
    """The answer of a DELETE."""
    return HttpResponse(status=204)
