"""The process in which one file is read: `python -m furrow.knowledge.parsing.child`.

The job comes as one JSON line on standard input, answers go as JSON lines to the inherited file
descriptor that the job names: `{"page": [done, total]}`, `{"ocr": pages}`, and at the end
`{"failed": [code, detail]}` or `{"read": result}`, where the job's `reader` decides what the result is.
"""

import importlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.formats import read_document
from furrow.knowledge.parsing.isolation import allow_ocr, isolate, take_turn
from furrow.knowledge.parsing.limits import ParseJob, ParseLimits

# Readers that tell something else of a file than its text, each a module with `read(path, job) -> JSON-able`.
READERS = {
    "rows": "sheet_rows",
    "photo": "photo_facts",
    "photo_clean": "photo_clean",
    "mail": "mail_words",
}


def main() -> int:
    """Reads the job, parses, reports; the exit status is 0 whenever something was reported."""
    request = json.loads(sys.stdin.readline())
    report = _Report(int(request["fd"]))
    # Whatever a library raises on a damaged file ends here, without a broad `except`.
    sys.excepthook = report.unexpected
    limits = ParseLimits(**request["limits"])
    wall = isolate(limits)
    job = ParseJob(
        file_name=request["file_name"],
        content_type=request["content_type"],
        limits=limits,
        on_progress=report.progress,
        before_ocr=lambda pages: _begin_ocr(report, limits, pages),
        ocr_turn=lambda: take_turn(limits.turn_path),
    )
    try:
        result = _read(request["reader"], Path(request["path"]), job, wall)
    except ParseFailure as failure:
        report.failed(failure.code, failure.detail)
    except MemoryError:
        report.failed("out_of_memory", "MemoryError")
    else:
        report.read(result)
    return 0


def _read(reader: str, path: Path, job: ParseJob, wall: str) -> str:
    """The result as JSON."""
    if reader == "document":
        document = read_document(path, job)
        return replace(document, meta={**document.meta, "network_wall": wall}).to_json()
    module = importlib.import_module(f"furrow.knowledge.parsing.formats.{READERS[reader]}")
    return json.dumps(module.read(path, job), ensure_ascii=False, separators=(",", ":"))


class _Report:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def progress(self, done: int, total: int) -> None:
        self._send({"page": [done, total]})

    def ocr(self, pages: int) -> None:
        self._send({"ocr": pages})

    def failed(self, code: str, detail: str) -> None:
        self._send({"failed": [code, detail[:200]]})

    def read(self, result: str) -> None:
        self._write(b'{"read":' + result.encode() + b"}\n")

    def unexpected(
        self, kind: type[BaseException], error: BaseException, _: TracebackType | None
    ) -> None:
        """Only the kind of error is passed on: its words may quote the file."""
        code = "out_of_memory" if _is_memory(kind, error) else "damaged"
        self.failed(code, kind.__name__)

    def _send(self, message: dict[str, Any]) -> None:
        self._write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]


def _is_memory(kind: type[BaseException], error: BaseException) -> bool:
    # Native libraries report a failed allocation as their own error.
    return issubclass(kind, MemoryError) or "bad_alloc" in str(error) or "alloc" in kind.__name__


def _begin_ocr(report: _Report, limits: ParseLimits, pages: int) -> None:
    allow_ocr(limits, pages)
    report.ocr(pages)


if __name__ == "__main__":
    sys.exit(main())
