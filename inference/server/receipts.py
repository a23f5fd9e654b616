"""Receipts: one line per request that was given work, appended, numbered, served in order."""

import fcntl
import json
import logging
import os
import secrets
import threading
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from inference.config import StartRefused
from inference.server.usage import Usage

log = logging.getLogger(__name__)

# One remembered offset per this many receipts: a read scans at most so many lines to its start.
INDEX_STEP = 256
READ_BYTES = 1 << 16


class ReceiptFileRefused(StartRefused):
    """The receipts file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a receipt says besides its number."""

    request_id: str
    kind: str
    usage: Usage
    busy_us: int
    finish_reason: str
    started_at: datetime
    finished_at: datetime
    first_token_at: datetime | None = None
    tenant: str = ""
    model: str = ""


class ReceiptLog:
    """Append-only JSONL. `seq` goes on counting over restarts; `boot_id` is new at each.

    A receipt that cannot be written (disk full) is kept and written later; until then
    `is_writable` is false and the server takes no work.
    """

    def __init__(self, path: Path) -> None:
        self.boot_id = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._unwritten: list[bytes] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
        except OSError as error:
            raise ReceiptFileRefused(
                f"The receipts file {path} cannot be opened: {error}."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise ReceiptFileRefused(
                f"The receipts file {path} is in use by another server: give each its own."
            ) from error
        self._offsets: list[tuple[int, int]] = []
        self._size = 0
        self.last_seq = 0
        self._read_existing(path)

    def append(self, work: Work) -> int:
        """Number and write a receipt; returns its `seq`."""
        with self._lock:
            self.last_seq += 1
            line = json.dumps(
                {
                    "boot_id": self.boot_id,
                    "seq": self.last_seq,
                    "request_id": work.request_id,
                    "tenant": work.tenant,
                    "kind": work.kind,
                    "model": work.model,
                    **asdict(work.usage),
                    "busy_us": work.busy_us,
                    "finish_reason": work.finish_reason,
                    "started_at": work.started_at.isoformat(),
                    "first_token_at": work.first_token_at and work.first_token_at.isoformat(),
                    "finished_at": work.finished_at.isoformat(),
                },
                separators=(",", ":"),
            )
            self._unwritten.append(line.encode() + b"\n")
            self._write_out()
            return self.last_seq

    def is_writable(self) -> bool:
        """Whether every receipt is in the file; tries again to write those that are not."""
        with self._lock:
            self._write_out()
            return not self._unwritten

    def after(self, seq: int, limit: int) -> list[dict[str, Any]]:
        """Written receipts with a number above `seq`, in order, at most `limit`."""
        with self._lock:
            size = self._size
            start = max((offset for known, offset in self._offsets if known <= seq + 1), default=0)
        receipts: list[dict[str, Any]] = []
        # Read by position and without the lock: what was written never changes.
        while start < size and len(receipts) < limit:
            chunk = os.pread(self._file, min(READ_BYTES, size - start), start)
            whole = chunk[: chunk.rfind(b"\n") + 1]
            found = (json.loads(line) for line in whole.splitlines())
            receipts += [receipt for receipt in found if receipt["seq"] > seq]
            start += len(whole)
        return receipts[:limit]

    def close(self) -> None:
        os.close(self._file)

    def _write_out(self) -> None:
        while self._unwritten:
            line = self._unwritten[0]
            seq = self.last_seq - len(self._unwritten) + 1
            try:
                if os.write(self._file, line) != len(line):
                    os.ftruncate(self._file, self._size)
                    raise OSError("the disk took only part of a receipt")
            except OSError:
                log.exception("receipts cannot be written", extra={"waiting": len(self._unwritten)})
                return
            self._note(seq, self._size, len(line))
            del self._unwritten[0]

    def _note(self, seq: int, offset: int, length: int) -> None:
        if seq % INDEX_STEP == 1:
            self._offsets.append((seq, offset))
        self._size = offset + length

    def _read_existing(self, path: Path) -> None:
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    # A crash cut the last line: its request was never answered.
                    os.ftruncate(self._file, self._size)
                    break
                try:
                    self.last_seq = int(json.loads(line)["seq"])
                except (ValueError, KeyError, TypeError) as error:
                    raise ReceiptFileRefused(f"{path} is not a receipts file.") from error
                self._note(self.last_seq, self._size, len(line))
