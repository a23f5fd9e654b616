"""What every route that takes work shares: the body, the tenant, the client's leaving."""

import asyncio
import re
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import Request

from inference.server.errors import InvalidRequest, TooLarge
from inference.server.sse import disconnected

CLIENT_CLOSED_REQUEST = 499
TENANT = re.compile(r"[A-Za-z0-9._:-]{0,128}\Z", re.ASCII)

T = TypeVar("T")


async def body_read(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(f"The body is larger than {max_bytes} bytes.")
    return bytes(body)


def tenant_of(request: Request) -> str:
    """The tag under which work is queued, cached and receipted. Only the gateway in front, which
    holds the key, can be trusted to set it."""
    tenant = request.headers.get("X-Tenant", "")
    if not TENANT.match(tenant):
        raise InvalidRequest(
            "X-Tenant may hold up to 128 letters, digits, dots, colons, dashes and underscores.",
            param="X-Tenant",
        )
    return tenant


async def unless_disconnected(request: Request, work: Awaitable[T]) -> T | None:
    """The result, or None once the client has gone; the work is cancelled then."""
    running = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(disconnected(request.receive))
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
        return running.result() if running.done() else None
    finally:
        gone.cancel()
        running.cancel()
