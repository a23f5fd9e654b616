"""Decides what a file is by its content; the name only tells apart kinds of text."""

import re
import zipfile
from pathlib import Path
from typing import Literal

from furrow.knowledge.parsing.archive import check_archive
from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseJob

FileKind = Literal["pdf", "docx", "xlsx", "pptx", "html", "markdown", "text", "csv", "png", "jpeg"]

_OFFICE_MAIN: dict[str, FileKind] = {
    "word/": "docx",
    "xl/": "xlsx",
    "ppt/": "pptx",
}
# Which contents a name may carry. An ending that is missing here promises nothing.
_ENDINGS: dict[str, frozenset[FileKind]] = {
    "pdf": frozenset({"pdf"}),
    "docx": frozenset({"docx"}),
    "docm": frozenset({"docx"}),
    "dotx": frozenset({"docx"}),
    "doc": frozenset({"docx", "html"}),
    "xlsx": frozenset({"xlsx"}),
    "xlsm": frozenset({"xlsx"}),
    # Shop systems export HTML tables and tab separated text under the old Excel ending.
    "xls": frozenset({"xlsx", "html", "csv"}),
    "pptx": frozenset({"pptx"}),
    "pptm": frozenset({"pptx"}),
    "ppt": frozenset({"pptx"}),
    "png": frozenset({"png", "jpeg"}),
    "jpg": frozenset({"png", "jpeg"}),
    "jpeg": frozenset({"png", "jpeg"}),
    "html": frozenset({"html", "text"}),
    "htm": frozenset({"html", "text"}),
    "csv": frozenset({"csv"}),
    "tsv": frozenset({"csv"}),
    "md": frozenset({"markdown"}),
    "markdown": frozenset({"markdown"}),
    "txt": frozenset({"text"}),
}
_BY_NAME: dict[str, FileKind] = {
    "csv": "csv",
    "tsv": "csv",
    "xls": "csv",
    "md": "markdown",
    "markdown": "markdown",
    "html": "html",
    "htm": "html",
}
_BY_TYPE: dict[str, FileKind] = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "text/markdown": "markdown",
    "text/html": "html",
    "application/xhtml+xml": "html",
}
_BINARY_STARTS = (
    b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"\x7fELF",
    b"MZ", b"ID3", b"OggS", b"RIFF", b"\x00\x00\x00\x18ftyp", b"\x00\x00\x00 ftyp", b"{\\rtf",
    b"%!PS", b"SQLite format 3",
)  # fmt: skip
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_HTML = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|meta)\b",
    re.IGNORECASE | re.DOTALL,
)


def sniff_kind(path: Path, job: ParseJob) -> FileKind:
    """The kind of the file; raises `ParseFailure` when it is unsafe, unknown or misnamed."""
    size = path.stat().st_size
    if size == 0:
        raise ParseFailure("empty")
    if size > job.limits.max_bytes:
        raise ParseFailure("too_large", f"{size} bytes")
    with path.open("rb") as file:
        head = file.read(4096)
    kind = _kind_of(path, head, job)
    allowed = _ENDINGS.get(job.extension)
    if allowed and kind not in allowed:
        raise ParseFailure("wrong_type", f"{kind} named .{job.extension}")
    return kind


def _kind_of(path: Path, head: bytes, job: ParseJob) -> FileKind:
    # Some writers put a few bytes before the PDF mark, and viewers accept that.
    if b"%PDF-" in head[:1024] and not head.startswith((b"PK", b"<")):
        return "pdf"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"PK"):
        return _office_kind(path, job)
    if head.startswith(_OLE):
        code = "encrypted" if _ENCRYPTED_STREAM in path.read_bytes() else "old_office"
        raise ParseFailure(code, "OLE file")
    if _is_binary(head):
        promised = _ENDINGS.get(job.extension)
        raise ParseFailure("wrong_type" if promised else "unsupported", "unknown binary content")
    return _text_kind(head, job)


def _office_kind(path: Path, job: ParseJob) -> FileKind:
    if not zipfile.is_zipfile(path):
        raise ParseFailure("damaged", "zip directory missing")
    names = check_archive(path, job.limits)
    if "[Content_Types].xml" in names:
        for folder, kind in _OFFICE_MAIN.items():
            if any(name.startswith(folder) for name in names):
                return kind
    raise ParseFailure("wrong_type" if job.extension in _ENDINGS else "unsupported", "zip file")


def _is_binary(head: bytes) -> bool:
    if head.startswith(_BINARY_STARTS):
        # "BM", "MZ", "RIFF" and the like also begin words; real ones carry NUL bytes early on.
        return b"\x00" in head[:512] or head.startswith((b"{\\rtf", b"%!PS", b"Rar!", b"7z"))
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    nuls = head.count(0)
    # UTF-16 without a mark has NUL bytes in one of the two positions only.
    if nuls and not _is_lopsided(head):
        return True
    controls = sum(byte < 32 and byte not in b"\t\n\r\x0b\x0c\x1b\x00" for byte in head)
    return controls > len(head) * 0.02 + 2 and not nuls


def _is_lopsided(head: bytes) -> bool:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return max(even, odd) >= 3 * min(even, odd) + 1 and b"\x00\x00\x00" not in head


def _text_kind(head: bytes, job: ParseJob) -> FileKind:
    plain = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")
    if _HTML.match(plain) or (job.extension in ("xls", "doc") and b"<table" in plain.lower()):
        # A Markdown or text file may show HTML as an example; its own ending then counts.
        return _BY_NAME.get(job.extension, "html") if job.extension in ("md", "csv") else "html"
    kind = _BY_NAME.get(job.extension)
    if kind is None and job.extension in _ENDINGS:
        kind = "text"
    if kind is None:
        kind = _BY_TYPE.get(job.content_type.split(";")[0].strip().lower(), "text")
    return "text" if kind == "html" and b"<" not in plain else kind
