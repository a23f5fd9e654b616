"""What every API operation passes: scope check, tenant transaction and idempotency."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from ninja import Status

from furrow.api.auth import Credential
from furrow.api.idempotency import fingerprint, run_once
from furrow.core.context import tenant_context, tenant_tx
from furrow.metering.attribution import attributed


class ApiRequest(HttpRequest):
    """A request whose credential was checked."""

    auth: Credential


def operation(
    scope: str, *, in_transaction: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wraps a view that returns a status and a JSON-able body. It runs as the credential's tenant, in one
    transaction, once for each `Idempotency-Key`. A view that calls a model opens its own transactions. What
    the view uses is counted for the key.
    """

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            credential = cast(ApiRequest, request).auth
            credential.require(scope)
            tenant_id = credential.tenant_id
            key = request.headers.get("Idempotency-Key", "")
            with attributed(api_key_id=credential.key.id, channel="api"):
                if request.method == "POST" and key:
                    status, body = run_once(
                        tenant_id=tenant_id,
                        caller=credential.caller,
                        key=key,
                        digest=fingerprint(request),
                        action=lambda: view(request, *args, **kwargs),
                        in_transaction=in_transaction,
                    )
                    return Status(status, body)
                with tenant_tx(tenant_id) if in_transaction else tenant_context(tenant_id):
                    result = view(request, *args, **kwargs)
            return Status(*result) if isinstance(result, tuple) else result

        return run

    return decorate


def no_content() -> HttpResponse:
    """The answer of a DELETE."""
    return HttpResponse(status=204)
