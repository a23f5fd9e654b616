"""200 visitors of a shop at once on the widget: `python tests/bench/visitors.py [--visitors 200] [--seconds 30]`.

Each has the chat open: a session and a feed that stays connected. Over the given seconds every one asks a question
and follows its answer, written by the mock engine behind the whole path: web (two workers), queue, worker of 24
threads, search, model, verifier, PostgreSQL at full durability. The first event is the first that a worker writes. A
stream that ends without its answer, or a feed that breaks, is a drop. `--burst` lets all ask within one second.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
os.environ.update(MOCK_TOKENS="40", MOCK_STEP_MS="10", MOCK_PREFILL_MS="50")
# As `make run` has it: without a pool every call at once takes a connection of its own.
os.environ["DATABASE_POOL_SIZE"] = "8"

import litellm_compare as bench  # noqa: E402  the mock's speed comes first
from bench_books import books_prepare  # noqa: E402
from django.conf import settings  # noqa: E402

from furrow.assistants.services import assistant_create, assistant_publish  # noqa: E402
from furrow.channels.services import widget_ensure, widget_update  # noqa: E402
from furrow.core import jobs  # noqa: E402
from furrow.core.context import tenant_tx  # noqa: E402
from furrow.knowledge.services.bases import knowledge_base_create  # noqa: E402
from furrow.knowledge.services.documents import document_add_text  # noqa: E402
from furrow.tenants.services import SYSTEM  # noqa: E402

SITE = "https://shop.example"
ARRIVE = 8
POLICY = "\n\n".join(
    f"# Rule {n}\n\nParcels of kind {n} leave within {n} hours and arrive after {n + 1} days. Damage is told within"
    f" {n + 12} hours with a photo of the box and of the fruit."
    for n in range(1, 60)
)


@dataclass
class Visitor:
    number: int
    token: str = ""
    first_s: float = 0.0
    whole_s: float = 0.0
    is_answered: bool = False
    faults: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--burst", action="store_true")
    parser.add_argument("--threads", type=int, default=24)
    options = parser.parse_args()
    options.rate, options.clients = 1, 1
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        setup = bench._setup(Path(name), options, stack)
        bench._say(bench.conditions(setup))
        _doorbell(str(setup.redis))
        books = books_prepare(setup.superuser)
        key = _shop(books.tenant_id)
        with (
            bench.serving(setup, books, workers=2) as (_server, port),
            _worker(setup, books, options.threads),
        ):
            visitors = [Visitor(n) for n in range(options.visitors)]
            try:
                asyncio.run(_visit(port, key, visitors, 1.0 if options.burst else options.seconds))
            except OSError:
                bench._say((setup.folder / "web.log").read_text()[-4000:])
                raise
    _report(visitors, options)


def _doorbell(socket: str) -> None:
    """This process too rings at the bench's own Redis; search is by words, as without a model server."""
    from config.celery import app  # noqa: PLC0415  after the settings

    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    settings.REDIS_URL = f"unix://{socket}"
    settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
    settings.CELERY_BROKER_URL = f"redis+socket://{socket}"
    app.conf.broker_url = settings.CELERY_BROKER_URL


def _shop(tenant_id: Any) -> str:
    with tenant_tx(tenant_id):
        base = knowledge_base_create(actor=SYSTEM, name="Rules")
        document_add_text(actor=SYSTEM, knowledge_base=base, title="Rules", text=POLICY)
        assistant = assistant_create(
            actor=SYSTEM,
            name="Bench",
            template="shop",
            knowledge_base_ids=[base.id],
            settings={"composed": {"enabled": True}},
        )
        assistant_publish(actor=SYSTEM, assistant=assistant)
        widget = widget_ensure(assistant=assistant)
        widget_update(actor=SYSTEM, widget=widget, allowed_origins=[SITE])
    while jobs.run_next("ingest"):
        pass
    from django.db import connections  # noqa: PLC0415  after the settings

    connections.close_all()
    return str(widget.public_key)


@contextlib.contextmanager
def _worker(setup: bench.Setup, books: Any, threads: int) -> Iterator[None]:
    """The chat worker as `make run` starts it."""
    environment = {
        **os.environ,
        "FURROW_ENV": "local",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(bench.ROOT / "platform"), str(bench.ROOT)]),
        "FURROW_VAR_DIR": str(setup.folder / "var"),
        "DATABASE_URL": books.app_url,
        "DATABASE_OWNER_URL": books.owner_url,
        "REDIS_URL": f"unix://{setup.redis}",
        "CHAT_URL": f"http://127.0.0.1:{setup.engine_port}/v1",
        "CHAT_MODEL": "mock-chat",
        "CHAT_DIALECT": "openai",
        "CHAT_API_KEY": "mock",
        "EMBEDDINGS_URL": "http://127.0.0.1:9/v1",
        "LOG_JSON": "true",
        "DATABASE_POOL_SIZE": "8",
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "--quiet", "worker"]
    command += ["--queues", "chat", "--pool", "threads", "--concurrency", str(threads)]
    command += ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    with (setup.folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=bench.ROOT, stdout=log, stderr=log)
        try:
            # Until it listens; the warm-up question below waits for it in any case.
            time.sleep(4)
            yield
        finally:
            process.terminate()
            process.wait(20)


async def _visit(port: int, key: str, visitors: list[Visitor], seconds: float) -> None:
    warm = Visitor(-1)
    await _enter(port, key, warm)
    await _ask(port, warm)
    # People come one after another, a few at a time; what is measured is asking.
    for at in range(0, len(visitors), ARRIVE):
        await asyncio.gather(*(_enter(port, key, each) for each in visitors[at : at + ARRIVE]))
    feeds = [asyncio.create_task(_feed(port, each)) for each in visitors]
    begun = time.monotonic()

    async def later(each: Visitor) -> None:
        await asyncio.sleep(
            max(0.0, begun + seconds * each.number / len(visitors) - time.monotonic())
        )
        await _ask(port, each)

    await asyncio.gather(*(later(each) for each in visitors))
    for feed in feeds:
        feed.cancel()
    await asyncio.gather(*feeds, return_exceptions=True)


async def _enter(port: int, key: str, visitor: Visitor) -> None:
    body = {"assistant": key, "lang": "en"}
    told = await _json(port, "POST", "sessions", body, "")
    visitor.token = told["token"]


async def _ask(port: int, visitor: Visitor) -> None:
    question = f"Within how many hours do parcels of kind {visitor.number % 59 + 1} leave?"
    begun = time.monotonic()
    try:
        told = await _json(port, "POST", "messages", {"text": question}, visitor.token)
        names = []
        async for event in _events(port, f"turns/{told['turn_id']}/events", visitor.token):
            if not names:
                visitor.first_s = time.monotonic() - begun
            names.append(event)
        visitor.is_answered = names[-2:] == ["answer", "done"]
        if not visitor.is_answered:
            visitor.faults.append(f"ended with {names[-1:]}")
    except (OSError, KeyError, asyncio.IncompleteReadError) as error:
        visitor.faults.append(type(error).__name__)
    visitor.whole_s = time.monotonic() - begun


async def _feed(port: int, visitor: Visitor) -> None:
    """Stays connected until it is cancelled; an end before that is a drop. It begins with the conversation."""
    while not visitor.whole_s and not visitor.first_s:
        await asyncio.sleep(0.1)
    try:
        async for _event in _events(port, "feed", visitor.token):
            pass
        visitor.faults.append("feed ended")
    except (OSError, asyncio.IncompleteReadError):
        visitor.faults.append("feed broke")


async def _open(port: int, head: str, body: bytes = b"") -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode() + body)
    await writer.drain()
    status = (await reader.readline()).split()[1]
    lines = {}
    while (line := (await reader.readline()).strip()) != b"":
        name, _, value = line.partition(b":")
        lines[name.lower()] = value.strip()
    if not status.startswith(b"2"):
        raise OSError(status.decode())
    return reader, writer, lines


def _head(method: str, path: str, token: str, more: str = "") -> str:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"{method} /widget/api/{path} HTTP/1.1\r\nHost: localhost\r\nOrigin: {SITE}\r\n{bearer}{more}\r\n"


async def _json(port: int, method: str, path: str, body: Any, token: str) -> Any:
    data = json.dumps(body).encode()
    more = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\nConnection: close\r\n"
    reader, writer, lines = await _open(port, _head(method, path, token, more), data)
    answer = await reader.readexactly(int(lines[b"content-length"]))
    writer.close()
    return json.loads(answer)


async def _events(port: int, path: str, token: str) -> Any:
    reader, writer, _lines = await _open(port, _head("GET", path, token))
    try:
        while line := await reader.readline():
            if line.startswith(b"event: "):
                yield line[7:].strip().decode()
            if line.strip() == b"0":
                return
    finally:
        writer.close()


def _report(visitors: list[Visitor], options: argparse.Namespace) -> None:
    firsts = sorted(each.first_s for each in visitors)
    wholes = sorted(each.whole_s for each in visitors)
    faults = [fault for each in visitors for fault in each.faults]
    share = lambda values, at: values[min(len(values) - 1, int(len(values) * at))]  # noqa: E731
    bench._say(
        f"{len(visitors)} visitors with the chat open, each asks once within"
        f" {1 if options.burst else options.seconds:.0f} s: {len(faults)} drops {faults[:3]};"
        f" first event p50 {1000 * share(firsts, 0.5):.0f} ms, p95 {1000 * share(firsts, 0.95):.0f} ms (bar 500);"
        f" whole answer p95 {share(wholes, 0.95):.2f} s"
    )
    is_good = not faults and share(firsts, 0.95) <= 0.5
    sys.exit(0 if is_good or options.burst else 1)


if __name__ == "__main__":
    main()
