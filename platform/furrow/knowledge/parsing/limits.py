"""What one file may cost, and what a format reader is told about its job."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from furrow.knowledge.parsing.document import ParseWarning


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """Caps of one parse. Text recognition is dear, so it has its own memory and time per page.

    A file without scanned pages ends within `cpu_s` of processor time and `wall_s` on the clock.
    Each page to recognise adds `ocr_page_s` of processor time and three times that on the clock,
    as other work may share the processor, for at most `max_ocr_pages` pages. Memory is
    what the process may write to; mapped libraries come on top. With `turn_path`, a file that all
    readers of a machine share, only one of them recognises a page at a time.
    """

    cpu_s: int = 30
    wall_s: int = 90
    memory_mb: int = 512
    ocr_memory_mb: int = 1536
    ocr_page_s: int = 20
    max_ocr_pages: int = 100
    max_bytes: int = 50 * 1024 * 1024
    max_pages: int = 2_000
    max_chars: int = 5_000_000
    max_pixels: int = 80_000_000
    max_result_bytes: int = 96 * 1024 * 1024
    max_entries: int = 2_000
    max_ratio: int = 100
    max_unpacked_bytes: int = 200 * 1024 * 1024
    # Of a table that is read as rows, not as a document.
    max_rows: int = 20_000
    max_columns: int = 256
    turn_path: str = ""


def _ignore_progress(done: int, total: int) -> None:
    return


def _ignore_ocr(pages: int) -> None:
    return


@dataclass(slots=True)
class ParseJob:
    """The file's claimed name and type, its limits, and where the reader reports to."""

    file_name: str = ""
    content_type: str = ""
    limits: ParseLimits = field(default_factory=ParseLimits)
    on_progress: Callable[[int, int], None] = _ignore_progress
    before_ocr: Callable[[int], None] = _ignore_ocr
    ocr_turn: Callable[[], AbstractContextManager[None]] = nullcontext
    warnings: list[ParseWarning] = field(default_factory=list)

    @property
    def extension(self) -> str:
        """Lower case, without the dot; empty when the name has none."""
        stem, dot, extension = self.file_name.rpartition(".")
        return extension.lower() if dot and stem and len(extension) <= 8 else ""

    def warn(self, code: str, message: str, page: int | None = None) -> None:
        """Noted once per code and page."""
        warning = ParseWarning(code, message, page)
        if warning not in self.warnings:
            self.warnings.append(warning)
