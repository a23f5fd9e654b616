"""Files are read in a process of their own, and most of its cost is the start of an interpreter. The suite reads
hundreds: here each reading process is a fork of one that has done its imports, with the same isolation, limits
and reports. Tests of the isolation itself start it as the product does.

Run as a program, this is the process that forks; imported, its client.
"""

import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent
_MESSAGE_BYTES = 64 * 1024


class Reader:
    """Stands in for the `Popen` of one reading process."""

    def __init__(self, channel: socket.socket, turn: threading.Lock) -> None:
        self._channel, self._turn = channel, turn
        self.pid = int(channel.recv(64))
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._channel], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a warm reader", timeout or 0)
            # Before the answer is looked at: a forker that died must not stop the tests that follow.
            self._turn.release()
            self.returncode = int(self._channel.recv(64))
        return self.returncode


class WarmReaders:
    """Reading processes, one at a time; the process they are forked from starts with the first."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._channel: socket.socket | None = None
        self._forker: subprocess.Popen[bytes] | None = None

    def start(self, run: Any, request: dict[str, Any], write_end: int, errors: IO[bytes]) -> Reader:
        """Has the signature of `_Run._start`, whose place it takes."""
        job = {"request": request, "folder": run._folder, "environment": run._environment()}
        self._turn.acquire()
        try:
            if self._channel is None:
                self._channel = self._forker_start(run)
            socket.send_fds(self._channel, [json.dumps(job).encode()], [write_end, errors.fileno()])
            return Reader(self._channel, self._turn)
        except (OSError, ValueError):
            self._turn.release()
            raise

    def _forker_start(self, run: Any) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._forker = subprocess.Popen(
                [sys.executable, "-s", "-P", "-B", __file__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=run._environment() | {"HOME": "/", "TMPDIR": "/tmp"},  # noqa: S108  each job brings its own
                cwd="/",
            )
        return ours

    def stop(self) -> None:
        if self._channel is not None and self._forker is not None:
            self._channel.close()
            self._forker.wait(10)


def serve(channel: socket.socket) -> None:
    from furrow.knowledge.parsing import child  # noqa: PLC0415  the suite's own process does without

    gc.freeze()
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, _MESSAGE_BYTES, 2)
        if not message:
            return
        job = json.loads(message)
        _imports_do(job["request"]["reader"], job["request"]["file_name"])
        pid = os.fork()
        if not pid:
            channel.close()
            _read(child.main, job, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        channel.send(str(os.waitstatus_to_exitcode(status)).encode())


def _imports_do(reader: str, file_name: str) -> None:
    """What the file's name promises; that decides nothing, the reading process looks for itself."""
    from furrow.knowledge.parsing import child, formats  # noqa: PLC0415

    if reader in child.READERS:
        importlib.import_module(f"{formats.__name__}.{child.READERS[reader]}")
        if reader == "rows":
            importlib.import_module("openpyxl")
        return
    ending = file_name.lower().rpartition(".")[2]
    kind = {"md": "markdown", "txt": "text", "htm": "html"}.get(ending, ending)
    if kind in formats._READERS and not kind.startswith(("png", "jp")):
        importlib.import_module(f"{formats.__name__}.{formats._READERS[kind]}")


def _read(main: Any, job: dict[str, Any], report: int, errors: int) -> None:
    """As a process that was started for this: its own session, folder and environment, the job on its input."""
    os.setsid()
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    job_end, line_end = os.pipe()
    os.write(line_end, json.dumps(job["request"] | {"fd": report}).encode() + b"\n")
    os.close(line_end)
    os.dup2(job_end, 0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(errors, 2)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        status = main()
    except BaseException:  # noqa: BLE001  handed on to the report's hook
        # As an interpreter would end: the report's hook first, then the status of an error.
        sys.excepthook(*sys.exc_info())
        status = 1
    os._exit(status)


if __name__ == "__main__":
    # Ctrl-C ends the suite, and its end of the channel this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(socket.socket(fileno=int(sys.argv[1])))
