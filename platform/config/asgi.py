"""ASGI entry point for gunicorn with uvicorn workers: `/v1` has an application of its own, Django the rest."""

import gc
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application: Any = get_asgi_application()

from django.urls import get_resolver  # noqa: E402

from furrow.api.openai.app import PREFIX, OpenAIApp  # noqa: E402  needs Django's apps
from furrow.gateway.connections import async_connections_close  # noqa: E402

openai_application = OpenAIApp()
# All pages are loaded before gunicorn forks its workers (`--preload`), which then share that memory.
_ = get_resolver().url_patterns
# The collector writes into every object it looks at, which would copy the shared memory page by page.
gc.collect()
gc.freeze()

Message = MutableMapping[str, Any]


Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def application(scope: Message, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"].startswith(PREFIX):
        await openai_application(scope, receive, send)
    else:
        await django_application(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await async_connections_close()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
