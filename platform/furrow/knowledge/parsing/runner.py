"""Reads a file in a process of its own, so that a hostile file can only end that process."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseLimits

_SOURCE_ROOT = Path(__file__).resolve().parents[3]
_READ_SIZE = 256 * 1024
_CLOCK_PER_CPU = 3
_DEFAULT_LIMITS = ParseLimits()
T = TypeVar("T")


def parse_file(
    path: Path,
    *,
    file_name: str,
    content_type: str | None = None,
    limits: ParseLimits = _DEFAULT_LIMITS,
    on_progress: Callable[[int, int], None] | None = None,
) -> ParsedDocument:
    """The parsed file, or `ParseFailure` whatever the file holds or does.

    `on_progress(done, total)` counts pages and is called in the calling thread.
    """
    with tempfile.TemporaryDirectory(prefix="furrow-parse-") as folder:
        run = _Run(folder, limits, on_progress, ParsedDocument.from_json)
        return run.parse(
            {
                "reader": "document",
                "path": str(path.resolve()),
                "file_name": file_name[-255:],
                "content_type": content_type or "",
                "limits": asdict(limits),
            }
        )


def read_apart(data: bytes, *, reader: str, limits: ParseLimits, decode: Callable[[bytes], T]) -> T:
    """What a reader of `child.READERS` tells of `data`, or `ParseFailure` whatever the bytes hold or do.

    `decode` gets the reader's JSON and raises `ValueError`, `KeyError` or `TypeError` for one it would not write.
    """
    with tempfile.TemporaryDirectory(prefix="furrow-parse-") as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        job = {"path": str(path), "file_name": "", "content_type": "", "limits": asdict(limits)}
        return _Run(folder, limits, None, decode).parse({**job, "reader": reader})


class _Run(Generic[T]):
    def __init__(
        self,
        folder: str,
        limits: ParseLimits,
        on_progress: Callable[[int, int], None] | None,
        decode: Callable[[bytes], T],
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._on_progress = on_progress
        self._decode = decode
        self._deadline = time.monotonic() + limits.wall_s
        self._ocr_left = limits.max_ocr_pages
        self._result: T | None = None
        self._failure: ParseFailure | None = None

    def parse(self, request: dict[str, Any]) -> T:
        read_end, write_end = os.pipe()
        with open(Path(self._folder) / "stderr", "w+b") as errors:
            try:
                process = self._start(request, write_end, errors)
            finally:
                os.close(write_end)
            try:
                self._follow(read_end)
            except (ValueError, KeyError, TypeError) as error:
                # Not our messages: native code has been made to write to the pipe.
                raise ParseFailure("crashed", "unreadable report") from error
            finally:
                os.close(read_end)
                _end(process)
            if self._result is not None:
                return self._result
            raise self._failure or _failure_of(process.returncode, errors)

    def _start(
        self, request: dict[str, Any], write_end: int, errors: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        # -P keeps the working folder off the import path, -s the user's packages.
        command = [sys.executable, "-s", "-P", "-B", "-m", "furrow.knowledge.parsing.child"]
        process = subprocess.Popen(  # noqa: S603  fixed command, the file's name goes by stdin
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=self._folder,
            env=self._environment(),
            pass_fds=(write_end,),
            start_new_session=True,
        )
        line = json.dumps({**request, "fd": write_end}).encode() + b"\n"
        try:
            _feed(process, line)
        except BrokenPipeError:
            # It died at the start; its exit status tells why.
            pass
        return process

    def _environment(self) -> dict[str, str]:
        """Nothing of ours is handed on. One thread keeps memory and processor time countable."""
        return {
            "PYTHONPATH": str(_SOURCE_ROOT),
            "LANG": "C.UTF-8",
            "HOME": self._folder,
            "TMPDIR": self._folder,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        }

    def _follow(self, read_end: int) -> None:
        """Reads messages until the child ends, is over its time, or says too much."""
        pending = bytearray()
        seen = 0
        while True:
            left = self._deadline - time.monotonic()
            if left <= 0:
                self._failure = ParseFailure("timeout", "wall clock")
                return
            if not select.select([read_end], [], [], left)[0]:
                continue
            data = os.read(read_end, _READ_SIZE)
            if not data:
                return
            seen += len(data)
            if seen > self._limits.max_result_bytes:
                self._failure = ParseFailure("too_large", "result")
                return
            searched = len(pending)
            pending += data
            while (end := pending.find(b"\n", searched)) >= 0:
                self._handle(bytes(pending[:end]))
                del pending[: end + 1]
                searched = 0

    def _handle(self, line: bytes) -> None:
        if line.startswith(b'{"read":'):
            self._result = self._decode(line[8:-1])
            return
        message = json.loads(line)
        if "failed" in message:
            self._failure = ParseFailure(*message["failed"])
        elif "ocr" in message:
            # Counted down, so that a child gone bad cannot ask for time again and again.
            pages = min(int(message["ocr"]), self._ocr_left)
            self._ocr_left -= pages
            self._deadline += pages * self._limits.ocr_page_s * _CLOCK_PER_CPU
        elif self._on_progress is not None:
            self._on_progress(*message["page"])


def _feed(process: subprocess.Popen[bytes], line: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(line)
        process.stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """A child that has reported has nothing left to do; the whole session of it goes."""
    try:
        process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _failure_of(status: int, errors: IO[bytes]) -> ParseFailure:
    """What an end without a report means."""
    errors.seek(0)
    words = errors.read(64 * 1024)
    if status == -signal.SIGXCPU:
        return ParseFailure("timeout", "processor time")
    if status == -signal.SIGXFSZ:
        return ParseFailure("too_large", "file size")
    # Without our doing, SIGKILL is the kernel's answer to a machine short of memory.
    is_memory = any(mark in words for mark in (b"MemoryError", b"bad_alloc", b"annot allocate"))
    if status == -signal.SIGKILL or is_memory:
        return ParseFailure("out_of_memory", f"exit status {status}")
    return ParseFailure("crashed", f"exit status {status}")
