"""Database work of asynchronous code: a few threads of this process, each with a connection it keeps."""

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from threading import local
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")

# A connection that rested for longer is tried before it is used: the database may have been restarted.
_TRY_AFTER_S = 5.0
_thread = local()


@lru_cache(maxsize=2)
def _pool(name: str) -> ThreadPoolExecutor:
    """A third of the threads is for what nobody waits for, so that it can neither hold up a caller nor starve."""
    later = max(settings.DATABASE_THREADS // 3, 1)
    size = later if name == "later" else max(settings.DATABASE_THREADS - later, 1)
    return ThreadPoolExecutor(size, thread_name_prefix=f"database-{name}")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs short database work in a thread, with the caller's tenant and attribution. For what takes longer
    than queries do, as asking a model, use `asyncio.to_thread`: it must not keep the others waiting.
    """
    return await _run("now", partial(function, *args, **kwargs))


async def in_thread_later(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what comes after the answer."""
    return await _run("later", partial(function, *args, **kwargs))


async def _run(pool: str, work: Callable[[], T]) -> T:
    call = partial(contextvars.copy_context().run, _with_connection, work)
    return await asyncio.get_running_loop().run_in_executor(_pool(pool), call)


def _with_connection(work: Callable[[], T]) -> T:
    now = time.monotonic()
    if now - getattr(_thread, "used_at", now) > _TRY_AFTER_S:
        connection.health_check_done = False  # type: ignore[attr-defined]
    try:
        return work()
    finally:
        _thread.used_at = time.monotonic()
        if connection.errors_occurred and not connection.in_atomic_block:
            connection.close()
