"""An installation of its own, started by `manage.py up`, whose processes the drills may kill."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

ROOT = Path(__file__).resolve().parents[2]
_OUTSIDE = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY", "FURROW_ENV",
            "EMBEDDINGS_API_KEY", "DJANGO_SETTINGS_MODULE"}  # fmt: skip
# A word of each service's command line.
_MARKS = {
    "redis": "redis-server",
    "inference": "inference",
    "web": "gunicorn",
    "worker-chat": "chat@%h",
    "worker-ingest": "ingest@%h",
    "beat": "beat",
}


@dataclass
class Product:
    """One folder, one `up` at a time."""

    var: Path
    port: int
    # Added to the environment of everything that is started.
    settings: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    process: "subprocess.Popen[bytes] | None" = None
    peak_rss: int = 0
    peak_pss: int = 0
    peak_parts: dict[str, int] = field(default_factory=dict)
    first_start_s: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _OUTSIDE}
        own = {"FURROW_VAR_DIR": str(self.var), "PYTHONUNBUFFERED": "1"}
        return kept | own | self.settings

    def start(self) -> float:
        """Starts everything; the seconds until it says that it runs."""
        began = time.monotonic()
        log_path = self.var / "up.log"
        with log_path.open("w") as log:
            self.process = subprocess.Popen(
                self._up(), cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        ended = until(lambda: self._has_started(log_path), within_s=240)
        assert ended, log_path.read_text()
        return time.monotonic() - began

    def _has_started(self, log_path: Path) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, log_path.read_text()
        return "Ctrl-C ends everything" in log_path.read_text()

    def _up(self, port: int | None = None) -> list[str]:
        return [sys.executable, "manage.py", "up", "--port", str(port or self.port), *self.options]

    def up_again(self, *, port: int | None = None, var: Path | None = None) -> str:
        """What another `up` says before it gives up."""
        env = self.env | ({"FURROW_VAR_DIR": str(var)} if var else {})
        done = subprocess.run(
            self._up(port), cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        return done.stderr

    def manage(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self) -> float:
        """As Ctrl-C does; the seconds it took."""
        if self.process is None or self.process.poll() is not None:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)
        return time.monotonic() - began

    def supervisor(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)

    def service(self, name: str) -> psutil.Process | None:
        """The leading process of a service; None while it is being started again."""
        for child in self.supervisor().children():
            if any(_MARKS[name] in word for word in _command(child)):
                return child
        return None

    def running(self, name: str) -> psutil.Process:
        """The same, waiting while it is being started."""
        until(lambda: self.service(name) is not None, within_s=40)
        process = self.service(name)
        assert process is not None, f"{name} does not run"
        return process

    def kill(self, name: str, *, with_children: bool = False) -> int:
        """SIGKILL to a service; its process id."""
        leader = self.running(name)
        children = leader.children(recursive=True) if with_children else []
        leader.kill()
        for child in children:
            _kill(child)
        return leader.pid

    def is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def restarted(self, name: str, old_pid: int) -> bool:
        process = self.service(name)
        return process is not None and process.pid != old_pid

    def parsers(self) -> list[psutil.Process]:
        """Processes that are reading a file now."""
        found = self.supervisor().children(recursive=True)
        return [p for p in found if "furrow.knowledge.parsing.child" in _command(p)]

    def postmaster(self) -> psutil.Process | None:
        try:
            pid = int((self.var / "postgres" / "postmaster.pid").read_text().split()[0])
            return psutil.Process(pid)
        except (OSError, psutil.NoSuchProcess):
            return None

    def everything(self) -> list[psutil.Process]:
        """The supervisor, all below it, and PostgreSQL, which stands beside it."""
        supervisor = self.supervisor()
        postmaster = self.postmaster()
        beside = [postmaster, *postmaster.children()] if postmaster else []
        return [supervisor, *supervisor.children(recursive=True), *beside]

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """As the superuser, past row-level security."""
        address = f"postgresql://postgres@/furrow?host={self.var / 'postgres'}"
        with psycopg.connect(address, connect_timeout=5) as connection:
            found = connection.execute(statement.encode(), values)
            return found.fetchall() if found.description else []

    def watch_memory(self, stop: threading.Event) -> None:
        """Keeps the greatest sums; runs in a thread. Shared pages count for each process in RSS, once in PSS."""
        while not stop.wait(0.7):
            try:
                self._memory_note(self.everything())
            except psutil.Error:
                continue

    def _memory_note(self, processes: list[psutil.Process]) -> None:
        parts: Counter[str] = Counter()
        rss = 0
        for process in processes:
            try:
                sizes, name = process.memory_full_info(), _short_name(process)
            except psutil.Error:
                continue
            rss += sizes.rss
            parts[name] += sizes.pss
        self.peak_rss = max(self.peak_rss, rss)
        if parts.total() > self.peak_pss:
            self.peak_pss, self.peak_parts = parts.total(), dict(parts)


def _short_name(process: psutil.Process) -> str:
    command = " ".join(process.cmdline())
    marks = {**_MARKS, "file reader": "parsing.child", "postgres": "postgres"}
    return next((name for name, mark in marks.items() if mark in command), "supervisor, demo shop")


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def is_alive(process: psutil.Process) -> bool:
    """A zombie is not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def bar(seconds: float) -> float:
    """A bar meant for a machine that does nothing else, on one that does."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def until(holds: Callable[[], bool], *, within_s: float, every_s: float = 0.1) -> bool:
    """Asks until it holds; False when time ran out."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(every_s)
    return False
