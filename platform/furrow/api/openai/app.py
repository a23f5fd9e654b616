"""`/v1` as an ASGI application beside Django's: OpenAI's endpoints, and the edge where their failures end."""

import uuid
from collections.abc import Awaitable, Callable

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from furrow.api.openai import models
from furrow.api.openai.auth import Caller, caller_of
from furrow.api.openai.chat import chat_complete
from furrow.api.openai.embeddings import embeddings_create
from furrow.api.openai.errors import (
    bad_request,
    error_headers,
    error_object,
    error_status,
    internal_error,
    model_missing,
)
from furrow.api.openai.http import Gone, Receive, Request, Scope, Send, unless_gone
from furrow.api.openai.mcp import mcp_handle
from furrow.api.openai.schemas import MAX_BODY_BYTES
from furrow.core.errors import AppError, NotFound, UpstreamFailed
from furrow.core.logs import get_logger, request_id_var
from furrow.core.threads import in_thread

log = get_logger(__name__)

Handler = Callable[[Request, Caller], Awaitable[None]]
PREFIX = "/v1/"


async def models_show(request: Request, caller: Caller) -> None:
    scopes = await in_thread(caller.check)
    found = await in_thread(models.models_list, caller.tenant_id, scopes)
    name = request.path.removeprefix(f"{PREFIX}models").strip("/")
    if not name:
        await request.answer(200, {"object": "list", "data": found})
        return
    model = next((model for model in found if model["id"] == name), None)
    if model is None:
        raise model_missing(name)
    await request.answer(200, model)


# A GET never asks a model anything.
ROUTES: dict[str, dict[str, Handler]] = {
    "chat/completions": {"POST": chat_complete},
    "embeddings": {"POST": embeddings_create},
    "models": {"GET": models_show},
    "mcp": {"POST": mcp_handle},
}


class OpenAIApp:
    """Calls of one process. It holds at most `API_STREAMS_MAX` at a time."""

    def __init__(self) -> None:
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send, str(uuid.uuid4()))
        token = request_id_var.set(request.request_id)
        self._running += 1
        try:
            await self._handle(request)
        except Gone:
            log.info("client_gone", path=request.path)
        finally:
            self._running -= 1
            request_id_var.reset(token)

    async def _handle(self, request: Request) -> None:
        try:
            await self._served(request)
        except AppError as error:
            await _fail(
                request, error_status(error), error_object(error, request.request_id), error
            )
        except Gone:
            raise
        except Exception:
            log.exception("api_crashed", route=request.path)
            await _fail(request, 500, internal_error(request.request_id))

    async def _served(self, request: Request) -> None:
        if self._running > settings.API_STREAMS_MAX:
            raise UpstreamFailed(
                "The server has no room at the moment.", code="overloaded", retry_after_s=2
            )
        _host_check(request)
        handler = _route(request)
        if handler is None:
            await _fail(
                request, 405, error_object(bad_request("Wrong method."), request.request_id)
            )
            return
        await request.read(most=MAX_BODY_BYTES)
        caller = await caller_of(request.headers)
        await unless_gone(request, lambda: handler(request, caller))


async def _fail(
    request: Request, status: int, body: dict[str, object], error: AppError | None = None
) -> None:
    """After the head there is only the stream itself to say it in."""
    if request.has_begun:
        await request.send_event(body)
        await request.end()
    else:
        await request.answer(status, body, error_headers(error) if error else None)


def _route(request: Request) -> Handler | None:
    path = request.path.removeprefix(PREFIX).rstrip("/")
    methods = ROUTES.get("models" if path.startswith("models/") else path)
    if methods is None:
        raise NotFound("There is nothing at this address.", code="unknown_url")
    return methods.get(request.method)


def _host_check(request: Request) -> None:
    domain, _ = split_domain_port(request.headers.get("host", ""))
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        raise bad_request("This host is not served here.", code="host_refused")
