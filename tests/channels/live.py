"""The real server in a thread, with committed rows and a worker, for tests that need both ends of a wire."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn
from django.db import connection

from furrow.core import jobs
from tests.emptying import rows_remove


@contextlib.contextmanager
def serving_django() -> Iterator[str]:
    """Django on ASGI as in production, at a free port; its address."""
    from config.asgi import application  # noqa: PLC0415  needs the suite's settings

    config = uvicorn.Config(application, port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(10)


@contextlib.contextmanager
def working(lane: str = "chat") -> Iterator[None]:
    """A worker of the lane, in a thread."""
    done = threading.Event()

    def work() -> None:
        try:
            while not done.is_set():
                if not jobs.run_next(lane):
                    time.sleep(0.05)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(30)


@contextlib.contextmanager
def committed_rows(django_db_blocker: Any) -> Iterator[None]:
    """Rows made inside are really committed; everything is emptied afterwards."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            rows_remove()
