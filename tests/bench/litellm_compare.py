"""The whole metered path beside the LiteLLM proxy: `python tests/bench/litellm_compare.py [--seconds 20] [--only ours]`.

Both serve /v1/chat/completions from one worker, to the same mock engine and generator, on the same machine in
one run, with PostgreSQL at full durability and Redis: ours as in production (gunicorn with a uvicorn worker;
key, row-level security, rate limit, hold, call, settlement), LiteLLM with its database, a virtual key and a
budget. The server has a core of its own; the mock, the generator and the databases share the other. Added latency is
what a call took less the mock's own time. After the load our books are checked, or the figures do not count.
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "platform"), str(HERE)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.test_settings")

import django  # noqa: E402  the path comes first

django.setup()

import litellm_rival  # noqa: E402
import psutil  # noqa: E402
import psycopg  # noqa: E402
from bench_books import Books, books_check, books_prepare  # noqa: E402

from furrow.ops import embedded  # noqa: E402

WORDS = 16
MESSAGES = [{"role": "user", "content": "Which orders ship free, and how long does it take? " * 4}]


@dataclass
class Setup:
    """What both are measured with."""

    folder: Path
    superuser: str
    redis: Path
    engine_port: int
    seconds: float
    rate: float
    clients: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=25)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--only", choices=["ours", "litellm"])
    options = parser.parse_args()
    if options.only != "ours":
        litellm_rival.install()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        setup = _setup(Path(name), options, stack)
        _say(conditions(setup))
        mock = measure(setup, setup.engine_port, "mock", is_stream=False)
        _say(f"mock alone, whole:  {mock.line()}")
        mock_stream = measure(setup, setup.engine_port, "mock", is_stream=True)
        _say(f"mock alone, stream: {mock_stream.line()}")
        figures = {}
        for who, run in (("ours", ours), ("litellm", litellm)):
            if options.only in {None, who}:
                figures[who] = run(setup, (mock, mock_stream))
        if len(figures) == 2:
            _compare(figures["ours"], figures["litellm"])


def _setup(folder: Path, options: argparse.Namespace, stack: contextlib.ExitStack) -> Setup:
    superuser = os.environ.get("TEST_DATABASE_OWNER_URL") or embedded.postgres_start(folder / "pg")
    redis = embedded.redis_start(folder / "redis.sock", folder)
    stack.callback(redis.terminate)
    port = free_port()
    mock = subprocess.Popen([sys.executable, str(HERE / "mock_engine.py"), str(port)])
    stack.callback(mock.kill)
    _pin(mock.pid, 1)
    wait_for(port)
    return Setup(
        folder,
        superuser,
        folder / "redis.sock",
        port,
        options.seconds,
        options.rate,
        options.clients,
    )


def conditions(setup: Setup) -> str:
    with psycopg.connect(setup.superuser) as connection:
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
        values = [connection.execute(f"SHOW {name}").fetchone()[0] for name in names]  # type: ignore[index]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    shown = ", ".join(f"{name} {value}" for name, value in zip(names, values, strict=True))
    return (
        f"commit {commit}, Python {sys.version.split()[0]}, {os.cpu_count()} cores,"
        f" load average before {os.getloadavg()[0]:.1f}; PostgreSQL {shown}"
    )


# What is measured -----------------------------------------------------------------------------------------------


@dataclass
class Leg:
    """One load: calls a second, latencies in milliseconds, processor milliseconds a call by process."""

    rps: float
    bad: int
    latencies: list[float]
    cpu_ms: dict[str, float]

    def at(self, share: float) -> float:
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]

    def line(self) -> str:
        cpu = ", ".join(f"{name} {ms:.2f}" for name, ms in self.cpu_ms.items())
        return (
            f"{self.rps:6.1f}/s  p50 {self.at(0.5):.1f}  p95 {self.at(0.95):.1f}"
            f"  p99 {self.at(0.99):.1f} ms  bad {self.bad}  CPU ms a call: {cpu}"
        )


def measure(
    setup: Setup,
    port: int,
    key: str,
    *,
    is_stream: bool,
    is_peak: bool = False,
    watched: Callable[[], dict[str, float]] = dict,
    seconds: float | None = None,
) -> Leg:
    body: dict[str, Any] = {"model": "mock-chat", "messages": MESSAGES, "max_tokens": 64}
    if is_stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    plan = {
        "path": "/v1/chat/completions",
        "port": port,
        "key": key,
        "body": body,
        "words": WORDS,
        "seconds": seconds or setup.seconds,
        "clients": setup.clients,
        "rate": None if is_peak else setup.rate,
    }
    file = setup.folder / "plan.json"
    file.write_text(json.dumps(plan))
    before = watched()
    generator = subprocess.Popen(
        [sys.executable, str(HERE / "load_generator.py"), str(file)], stdout=subprocess.PIPE
    )
    _pin(generator.pid, 1)
    output, _ = generator.communicate(timeout=plan["seconds"] + 120)
    after = watched()
    told = json.loads(output)
    if told["reasons"]:
        _say(f"refused or broken: {told['reasons']}")
    count = max(len(told["latencies"]), 1)
    cpu = {name: (after[name] - before[name]) * 1000 / count for name in before}
    cpu["generator"] = told["cpu_s"] * 1000 / count
    latencies = sorted(1000 * latency for latency in told["latencies"]) or [float("nan")]
    return Leg(count / told["seconds"], told["bad"], latencies, cpu)


@dataclass
class Figures:
    rate: dict[str, Leg]
    peak: dict[str, Leg]
    mock: dict[str, Leg]

    def added(self, kind: str, share: float) -> float:
        return self.rate[kind].at(share) - self.mock[kind].at(0.5)

    def per_core(self, kind: str) -> float:
        """Calls that one core of the serving process can do in a second."""
        return 1000 / self.peak[kind].cpu_ms["server"]


def run_legs(
    setup: Setup,
    port: int,
    key: str,
    watched: Callable[[], dict[str, float]],
    mocks: tuple[Leg, Leg],
    name: str,
) -> Figures:
    figures = Figures({}, {}, {"whole": mocks[0], "stream": mocks[1]})
    for kind, is_stream in (("whole", False), ("stream", True)):
        # Warm-up, discarded.
        measure(setup, port, key, is_stream=is_stream, is_peak=True, seconds=2)
        figures.rate[kind] = measure(setup, port, key, is_stream=is_stream, watched=watched)
        figures.peak[kind] = measure(
            setup, port, key, is_stream=is_stream, is_peak=True, watched=watched
        )
        _say(f"{name} {kind}, {setup.rate:g}/s:  {figures.rate[kind].line()}")
        added = ", ".join(
            f"p{100 * share:g} {figures.added(kind, share):.1f}" for share in (0.5, 0.95, 0.99)
        )
        _say(f"{name} {kind}, added ms: {added}")
        _say(f"{name} {kind}, peak:  {figures.peak[kind].line()}")
        _say(f"{name} {kind}, a core of the server: {figures.per_core(kind):.0f} calls/s")
    return figures


def ours(setup: Setup, mocks: tuple[Leg, Leg]) -> Figures:
    books = books_prepare(setup.superuser)
    asked_before = engine_calls(setup)
    with serving(setup, books, workers=1) as (server, port):
        look = watching(setup, server.pid, books.name)
        figures = run_legs(setup, port, books.key, look, mocks, "ours")
    _say(books_check(books, engine_calls(setup) - asked_before))
    return figures


@contextlib.contextmanager
def serving(
    setup: Setup, books: Books, *, workers: int
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Our web server as in production, and its port."""
    port = free_port()
    environment = {
        **os.environ,
        "FURROW_ENV": "local",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "platform"), str(ROOT)]),
        "FURROW_VAR_DIR": str(setup.folder / "var"),
        "DATABASE_URL": books.app_url,
        "DATABASE_OWNER_URL": books.owner_url,
        "REDIS_URL": f"unix://{setup.redis}",
        "CHAT_URL": f"http://127.0.0.1:{setup.engine_port}/v1",
        "CHAT_MODEL": "mock-chat",
        "CHAT_DIALECT": "openai",
        "CHAT_API_KEY": "mock",
        "API_CALLS_PER_MINUTE": "1000000",
        "LOG_JSON": "true",
    }
    command = [sys.executable, "-m", "gunicorn", "config.asgi:application"]
    command += ["--workers", str(workers), "--keep-alive", "30"]
    command += ["--worker-class", "uvicorn_worker.UvicornWorker", "--bind", f"127.0.0.1:{port}"]
    with (setup.folder / "web.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_for(port)
            yield server, port
        finally:
            server.terminate()
            server.wait(20)


def litellm(setup: Setup, mocks: tuple[Leg, Leg]) -> Figures:
    name = "litellm_bench"
    url = litellm_rival.database_prepare(setup.superuser, name)
    asked_before = engine_calls(setup)
    with litellm_rival.running(url, port=free_port(), engine_port=setup.engine_port) as rival:
        figures = run_legs(
            setup,
            rival.port,
            rival.key,
            watching(setup, rival.process.pid, name),
            mocks,
            "litellm",
        )
        # It writes what was spent every ten seconds or so.
        time.sleep(30)
    address = setup.superuser.replace("/postgres?", f"/{name}?")
    with psycopg.connect(address) as connection:
        row = connection.execute(
            'SELECT count(*), coalesce(sum(spend), 0) FROM "LiteLLM_SpendLogs"'
        ).fetchone()
    _say(f"litellm books: {row[0]} spend rows for {engine_calls(setup) - asked_before} calls")  # type: ignore[index]
    return figures


def _compare(ours: Figures, rival: Figures) -> None:
    for kind in ("whole", "stream"):
        throughput = ours.per_core(kind) / rival.per_core(kind)
        added = ours.added(kind, 0.5) / rival.added(kind, 0.5)
        _say(
            f"{kind}: {throughput:.1f} times LiteLLM's calls a core (bar: 2),"
            f" {added:.2f} of its added p50 (bar: 0.5)"
        )


# Machinery ------------------------------------------------------------------------------------------------------


def watching(setup: Setup, pid: int, database: str) -> Callable[[], dict[str, float]]:
    """Processor seconds so far: of the server with its Python children, of its other helpers, of the databases."""
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        _pin(process.pid, 1 if "node" in process.name() else 0)

    def seconds(processes: list[psutil.Process]) -> float:
        total = 0.0
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                total += used.user + used.system
        return total

    def look() -> dict[str, float]:
        tree = [root, *root.children(recursive=True)]
        helpers = [process for process in tree if "node" in process.name()]
        found = {"server": seconds([process for process in tree if process not in helpers])}
        if helpers:
            found["prisma"] = seconds(helpers)
        return found | {"postgres": postgres_seconds(setup, database)}

    return look


def postgres_seconds(setup: Setup, database: str) -> float:
    """Of the backends of one database: those that ended are gone, so the connections must be kept ones."""
    with psycopg.connect(setup.superuser) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s", [database]
        ).fetchall()
    total = 0.0
    for (pid,) in rows:
        with contextlib.suppress(psutil.NoSuchProcess):
            used = psutil.Process(pid).cpu_times()
            total += used.user + used.system
    return total


def engine_calls(setup: Setup) -> int:
    with socket.create_connection(("127.0.0.1", setup.engine_port)) as connection:
        connection.sendall(b"GET /served HTTP/1.1\r\nHost: x\r\n\r\n")
        return int(json.loads(connection.recv(4096).split(b"\r\n\r\n")[1])["calls"])


def _pin(pid: int, core: int) -> None:
    if (os.cpu_count() or 1) > 1:
        psutil.Process(pid).cpu_affinity([core])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"Nothing listens on port {port}.")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  its purpose


if __name__ == "__main__":
    main()
