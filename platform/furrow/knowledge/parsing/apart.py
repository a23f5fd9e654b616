"""Files that a request brings and waits for, read as imports are: in a capped process of their own.

Rows of a table and facts of a photo are a second's work, so no job is queued for them. Few are read at once, as
each may take as much memory as its limits allow.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from furrow.core.errors import LimitReached
from furrow.knowledge.parsing.limits import ParseLimits
from furrow.knowledge.parsing.runner import read_apart

AT_ONCE = 2
TURN_WAIT_S = 20
TABLE_LIMITS = ParseLimits(
    cpu_s=15,
    wall_s=30,
    memory_mb=384,
    max_ocr_pages=0,
    max_result_bytes=24 * 1024 * 1024,
    max_unpacked_bytes=80 * 1024 * 1024,
)
# 60 million pixels in colours, and once more in grey.
PHOTO_LIMITS = ParseLimits(
    cpu_s=10,
    wall_s=30,
    memory_mb=448,
    max_ocr_pages=0,
    max_result_bytes=64 * 1024,
    max_pixels=60_000_000,
)
# Drawn anew: the picture lies there twice while it is turned upright.
CLEAN_LIMITS = replace(
    PHOTO_LIMITS, memory_mb=640, max_bytes=8 * 1024 * 1024, max_result_bytes=12 * 1024 * 1024
)
MAIL_LIMITS = ParseLimits(
    cpu_s=10,
    wall_s=25,
    memory_mb=384,
    max_ocr_pages=0,
    max_bytes=12 * 1024 * 1024,
    max_result_bytes=20 * 1024 * 1024,
)
_PHOTO_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
_turns = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class TableLines:
    """Each with the line that a spreadsheet shows beside it. `encoding` is `xlsx` for workbooks."""

    encoding: str
    lines: list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """`dhash` are 64 bits in hexadecimal; `taken` and `software` are the camera's own words, or empty."""

    content_type: str
    width: int
    height: int
    dhash: str
    taken: str
    software: str


@dataclass(frozen=True, slots=True)
class CleanPhoto:
    """`facts` has the size of `data`, and otherwise what the photo told before it was cleaned."""

    facts: PhotoFacts
    data: bytes


@dataclass(frozen=True, slots=True)
class MailWords:
    """`references` are the mails before it in its thread; `machine` says why nobody is to be answered, or is empty."""

    message_id: str
    references: list[str]
    writer: str
    name: str
    subject: str
    text: str
    photos: list[bytes]
    machine: str

    @property
    def thread(self) -> str:
        """The id of the mail that began it."""
        return self.references[0] if self.references else self.message_id


def table_lines(data: bytes, *, max_rows: int, max_columns: int) -> TableLines:
    """Raises `ParseFailure`, with `too_large` for too many rows, and `LimitReached` when others wait already."""
    limits = replace(TABLE_LIMITS, max_rows=max_rows, max_columns=max_columns)
    with _turn():
        return read_apart(data, reader="rows", limits=limits, decode=_lines_of)


def photo_facts(data: bytes) -> PhotoFacts:
    """Raises `ParseFailure` for what is no photo or a hostile one, `LimitReached` when others wait already."""
    with _turn():
        return read_apart(data, reader="photo", limits=PHOTO_LIMITS, decode=_photo_of)


def photo_clean(data: bytes) -> CleanPhoto:
    """The picture alone, upright: without place, camera, comments and whatever else its file carried. Raises as
    `photo_facts` does.
    """
    with _turn():
        return read_apart(data, reader="photo_clean", limits=CLEAN_LIMITS, decode=_clean_of)


def mail_words(data: bytes) -> MailWords:
    """What a mail says. Raises `ParseFailure` for one that says nothing or is hostile, `LimitReached` when others wait
    already.
    """
    with _turn():
        return read_apart(data, reader="mail", limits=MAIL_LIMITS, decode=_mail_of)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=TURN_WAIT_S):
        raise LimitReached("Several files are being read. Try again in a moment.", retry_after_s=5)
    try:
        yield
    finally:
        _turns.release()


def _lines_of(raw: bytes) -> TableLines:
    """A process that a file took over could report anything: shapes are checked, not trusted."""
    told: Any = json.loads(raw)
    lines = [(int(line), [str(cell) for cell in cells]) for line, cells in told["lines"]]
    return TableLines(str(told["encoding"])[:20], lines)


def _clean_of(raw: bytes) -> CleanPhoto:
    told: Any = json.loads(raw)
    return CleanPhoto(_facts_of(told["facts"]), base64.b64decode(told["data"], validate=True))


def _mail_of(raw: bytes) -> MailWords:
    mail = MailWords(**json.loads(raw))
    texts = [mail.message_id, mail.writer, mail.name, mail.subject, mail.text, mail.machine]
    if not all(isinstance(each, str) for each in [*texts, *mail.references]):
        raise ValueError("no words of a mail")
    return replace(mail, photos=[base64.b64decode(each, validate=True) for each in mail.photos])


def _photo_of(raw: bytes) -> PhotoFacts:
    return _facts_of(json.loads(raw))


def _facts_of(told: Any) -> PhotoFacts:
    facts = PhotoFacts(**told)
    is_sound = (
        facts.content_type in _PHOTO_TYPES
        and isinstance(facts.width, int)
        and isinstance(facts.height, int)
        and 0 < facts.width * facts.height <= PHOTO_LIMITS.max_pixels
        and re.fullmatch(r"[0-9a-f]{16}", facts.dhash)
        and isinstance(facts.taken, str)
        and isinstance(facts.software, str)
    )
    if not is_sound:
        raise ValueError("no facts of a photo")
    return facts
