"""The zip around a Word file: its parts are read with limits and written back, untouched ones as they were."""

import io
import posixpath
import re
import zipfile
import zlib
from typing import Literal
from xml.parsers import expat

_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"
# A byte order mark and the declaration may both be missing; another encoding may not be named.
_ENCODING = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*?(?:encoding=[\"']([^\"']+)[\"'])?[^>]*?\?>|<)",
    re.IGNORECASE,
)
_MOST_PARTS = 2_000
_MOST_BYTES = 200 * 1024 * 1024

UnreadableReason = Literal["damaged", "entities", "not_word", "too_large", "encoding"]


class DocumentUnreadable(Exception):
    """The file is no Word document that can be edited; `reason` says why."""

    def __init__(self, reason: UnreadableReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Package:
    """A DOCX in memory. `document` and `comments` are part names; `comments` is "" while there are none."""

    def __init__(self, data: bytes) -> None:
        self._entries: list[zipfile.ZipInfo] = []
        self._parts: dict[str, bytes] = {}
        self._read(data)
        self.document = self._target("_rels/.rels", "officeDocument", base="")
        if self.document not in self._parts:
            raise DocumentUnreadable("not_word")
        folder, name = posixpath.split(self.document)
        self._folder = folder
        self._relations = posixpath.join(folder, "_rels", f"{name}.rels")
        self.comments = self._target(self._relations, "comments", base=folder)

    def part(self, name: str) -> bytes:
        """The bytes of a part, which are UTF-8: offsets into anything else would lie."""
        data = self._parts[name]
        declared = _ENCODING.match(data[:200])
        if declared is None or (declared[1] or b"utf-8").lower() not in (b"utf-8", b"us-ascii"):
            raise DocumentUnreadable("encoding")
        return data

    def replace(self, name: str, data: bytes) -> None:
        self._parts[name] = data

    def comments_add(self, data: bytes) -> None:
        """A first comments part, with its type and its relation."""
        self.comments = posixpath.join(self._folder, "comments.xml")
        self._parts[self.comments] = data
        self._append(
            "[Content_Types].xml",
            "Override",
            {"PartName": f"/{self.comments}", "ContentType": COMMENTS_TYPE},
        )
        if self._relations not in self._parts:
            self._parts[self._relations] = (
                f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
                f'<Relationships xmlns="{_RELATIONS}"></Relationships>'.encode()
            )
        relation = {
            "Id": self._free_relation(),
            "Type": f"{_OFFICE[0]}/comments",
            "Target": "comments.xml",
        }
        self._append(self._relations, "Relationship", relation)

    def write(self) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            known = set()
            for entry in self._entries:
                archive.writestr(entry, self._parts[entry.filename], entry.compress_type)
                known.add(entry.filename)
            for name in self._parts.keys() - known:
                archive.writestr(name, self._parts[name])
        return out.getvalue()

    def _read(self, data: bytes) -> None:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                self._entries = [e for e in archive.infolist() if not e.is_dir()]
                if (
                    len(self._entries) > _MOST_PARTS
                    or sum(e.file_size for e in self._entries) > _MOST_BYTES
                ):
                    raise DocumentUnreadable("too_large")
                self._parts = {e.filename: archive.read(e) for e in self._entries}
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as e:
            raise DocumentUnreadable("damaged") from e
        if "[Content_Types].xml" not in self._parts:
            raise DocumentUnreadable("not_word")

    def _target(self, relations: str, kind: str, *, base: str) -> str:
        for attributes in _elements(self._parts.get(relations, b""), "Relationship"):
            if attributes.get("Type") in [f"{office}/{kind}" for office in _OFFICE]:
                target = attributes.get("Target", "")
                return (
                    target.lstrip("/")
                    if target.startswith("/")
                    else posixpath.normpath(posixpath.join(base, target))
                )
        return ""

    def _free_relation(self) -> str:
        taken = {
            attributes.get("Id")
            for attributes in _elements(self._parts[self._relations], "Relationship")
        }
        return next(f"rIdC{n}" for n in range(1, len(taken) + 2) if f"rIdC{n}" not in taken)

    def _append(self, part: str, name: str, attributes: dict[str, str]) -> None:
        data = self._parts[part]
        opening = root_name(data)
        prefix = f"{opening.rpartition(':')[0]}:" if ":" in opening else ""
        body = "".join(f' {key}="{value}"' for key, value in attributes.items())
        self._parts[part] = append_to_root(data, f"<{prefix}{name}{body}/>".encode())


def root_name(data: bytes) -> str:
    """The root element's name as it is written, with its prefix."""
    names: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: names.append(name)
    _parse(parser, data)
    return names[0]


def append_to_root(data: bytes, child: bytes) -> bytes:
    """`child` as the last child of the root element."""
    name = root_name(data).encode()
    place = data.rfind(b"</" + name)
    if place >= 0:
        return data[:place] + child + data[place:]
    place = data.rfind(b"/>")
    return data[:place] + b">" + child + b"</" + name + b">" + data[place + 2 :]


def _elements(data: bytes, local: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    if not data:
        return found
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(" ")[2] == local:
            found.append(attributes)

    parser.StartElementHandler = start
    _parse(parser, data)
    return found


def _parse(parser: expat.XMLParserType, data: bytes) -> None:
    def refuse(*_: object) -> None:
        raise DocumentUnreadable("entities")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise DocumentUnreadable("damaged") from error
