"""Checks of Office files before any library unpacks them.

An Office file is a zip of XML. The sizes in its directory may lie, so each part is also counted
while it is really unpacked, and no part may define entities.
"""

import re
import zipfile
import zlib
from pathlib import Path

from furrow.knowledge.parsing.errors import ParseFailure
from furrow.knowledge.parsing.limits import ParseLimits

_ARCHIVE_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b")
_FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_XML_NAMES = (".xml", ".rels", ".vml")
# A workbook or picture set inside a document is normal; it is never opened.
_EMBEDDED = re.compile(r"^(?:word|ppt|xl)/embeddings/", re.IGNORECASE)
_CHUNK = 1024 * 1024
# Small parts may compress well without harm: empty sheets reach a ratio of several hundred.
_RATIO_FLOOR = 4 * 1024 * 1024


def check_archive(path: Path, limits: ParseLimits) -> frozenset[str]:
    """The member names, or a `ParseFailure` when the zip is a bomb, encrypted or damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_directory(entries, limits)
            unpacked = 0
            for entry in entries:
                unpacked += _check_entry(
                    archive, entry, limits, limits.max_unpacked_bytes - unpacked
                )
            return frozenset(entry.filename for entry in entries)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise ParseFailure("damaged", f"zip: {error}") from error
    except NotImplementedError as error:
        raise ParseFailure("damaged", "zip: unknown compression") from error


def _check_directory(entries: list[zipfile.ZipInfo], limits: ParseLimits) -> None:
    if len(entries) > limits.max_entries:
        raise ParseFailure("bomb", f"{len(entries)} zip entries")
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise ParseFailure("encrypted", "zip entry")
    if sum(entry.file_size for entry in entries) > limits.max_unpacked_bytes:
        raise ParseFailure("bomb", "declared size")
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise ParseFailure("damaged", "zip names a member twice")


def _check_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: ParseLimits, left: int
) -> int:
    is_xml = entry.filename.lower().endswith(_XML_NAMES)
    size, tail = 0, b""
    with archive.open(entry) as part:
        while data := part.read(_CHUNK):
            if size == 0:
                _check_start(entry, data)
                is_xml = is_xml or data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<?xml")
            size += len(data)
            if size > left:
                raise ParseFailure("bomb", "unpacked size")
            if size > _RATIO_FLOOR and size > limits.max_ratio * max(1, entry.compress_size):
                raise ParseFailure("bomb", "compression ratio")
            if is_xml:
                tail = _check_xml(tail, data)
    return size


def _check_start(entry: zipfile.ZipInfo, data: bytes) -> None:
    if data.startswith(_ARCHIVE_STARTS) and not _EMBEDDED.match(entry.filename):
        raise ParseFailure("bomb", "archive inside the archive")


def _check_xml(tail: bytes, data: bytes) -> bytes:
    """Also sees UTF-16 parts: their NUL bytes are dropped before looking."""
    window = (tail + data).replace(b"\x00", b"")
    if _FORBIDDEN.search(window):
        raise ParseFailure("doctype_forbidden", "DOCTYPE or ENTITY in a part")
    return window[-16:]
