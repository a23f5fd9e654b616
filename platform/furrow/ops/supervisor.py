"""Runs the processes of one machine: starts, watches, restarts with a growing pause, stops in order.

Each child leads its own process group, so Ctrl-C reaches only the supervisor, and dies with it (Linux
parent-death signal), so a killed supervisor leaves nothing behind.
"""

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
STOP_GRACE_S = 12.0


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Service:
    """One long-running process. `ready` is asked until it says yes."""

    name: str
    command: list[str]
    env: dict[str, str]
    log_path: Path
    cwd: Path
    ready: Callable[[], bool] = lambda: True
    process: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0
    started_at: float = 0.0
    next_start: float = 0.0

    def start(self) -> None:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own fixed command line
                self.command,
                env=self.env,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self.started_at = time.monotonic()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def last_lines(self, count: int = 12) -> str:
        if not self.log_path.is_file():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-count:])


@dataclass
class Supervisor:
    """Owns the services. `report` gets one plain sentence when a service dies or comes back."""

    services: list[Service]
    report: Callable[[str], None]
    stopping: threading.Event = field(default_factory=threading.Event)
    # Asked every half second: looks after what is not a child of ours.
    keep: Callable[[], None] = lambda: None

    def start(self) -> None:
        for service in self.services:
            service.start()

    def wait_ready(self, name: str, timeout_s: float) -> bool:
        """Waits for one service; False when it ended or took too long."""
        service = next(s for s in self.services if s.name == name)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not self.stopping.is_set():
            if not service.is_running():
                return False
            if service.ready():
                return True
            time.sleep(0.1)
        return False

    def watch(self) -> None:
        """Restarts what dies until `stopping` is set; the pause doubles up to 30 s."""
        while not self.stopping.wait(0.5):
            self.keep()
            for service in self.services:
                if not service.is_running():
                    self._revive(service)

    def _revive(self, service: Service) -> None:
        now = time.monotonic()
        if service.next_start == 0.0:
            if now - service.started_at > 60:
                service.restarts = 0
            pause = min(30.0, 0.5 * 2**service.restarts)
            service.next_start = now + pause
            service.restarts += 1
            self.report(f"{service.name} stopped; starting it again in {pause:.0f} s")
        elif now >= service.next_start:
            service.next_start = 0.0
            # Children that outlived their parent, as web workers do, would keep its port.
            _kill_group(service)
            service.start()

    def stop(self) -> None:
        """Asks every service to end, last started first, and ends what does not within the grace."""
        self.stopping.set()
        for service in reversed(self.services):
            _ask_to_end(service)
        deadline = time.monotonic() + STOP_GRACE_S
        for service in reversed(self.services):
            if service.process is None:
                continue
            try:
                service.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_group(service)
                service.process.wait(5)
            _kill_group(service)


def _ask_to_end(service: Service) -> None:
    # Only to the leader: Celery and gunicorn end their own children in order.
    if service.process is not None and service.process.poll() is None:
        service.process.send_signal(signal.SIGTERM)


def _kill_group(service: Service) -> None:
    """Ends whatever is left of the service's process group; it may have lost its leader."""
    if service.process is None:
        return
    try:
        os.killpg(service.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
