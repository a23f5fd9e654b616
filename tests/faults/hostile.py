"""Files that are wrong, broken or built to hurt, and how each must end."""

import struct
import zipfile
import zlib
from pathlib import Path


def png(width: int, height: int) -> bytes:
    """A white picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress((b"\x00" + b"\xff" * width) * height)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def _pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    body = b"".join(b"%d 0 obj%sendobj\n" % (n, data) for n, data in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer<</Root 1 0 R/Size 30" + trailer + b">>\n%%EOF\n"


_CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
_PAGES = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
_BLANK = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"


def locked_pdf() -> bytes:
    lock = b"<</Filter/Standard/V 2/R 3/Length 128/P -4/O<%s>/U<%s>>>" % (b"41" * 32, b"42" * 32)
    return _pdf(_CATALOG, _PAGES, _BLANK, lock, trailer=b"/Encrypt 4 0 R/ID[<0102><0102>]")


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"\x00" * 60_000_000)


def endless_pdf(path: Path) -> Path:
    """Forms that draw forms, ten times each: few bytes, and no end in reach."""
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</XObject<</F 5 0 R>>>>>>"
    )
    forms = [
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 60/Resources<</XObject<</F %d 0 R>>>>>>"
        b"stream\n%s\nendstream " % (number + 1, b"/F Do " * 10)
        for number in range(5, 17)
    ]
    start = b"<</Length 5>>stream\n/F Do\nendstream "
    path.write_bytes(_pdf(_CATALOG, _PAGES, page, start, *forms))
    return path


def write_all(folder: Path) -> dict[str, Path]:
    """One file for each way to fail, by the code that it must end with."""
    contents = {
        "encrypted": ("locked.pdf", locked_pdf()),
        "empty_scan": ("blank.png", png(400, 300)),
        "wrong_type": ("scan.pdf", png(64, 64)),
        "unsupported": ("movie.mp4", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 500),
        "damaged": ("cut.docx", b"PK\x03\x04 cut off"),
    }
    found = {}
    for code, (name, data) in contents.items():
        found[code] = folder / name
        found[code].write_bytes(data)
    found["bomb"] = folder / "bomb.xlsx"
    bomb(found["bomb"])
    return found
