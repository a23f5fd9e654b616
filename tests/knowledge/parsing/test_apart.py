"""Files that a request brings and waits for: read in a process of their own, whatever they hold."""

import io
import struct
import threading
import zipfile
import zlib
from dataclasses import replace

import openpyxl
import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from furrow.core.errors import LimitReached
from furrow.knowledge.parsing import apart
from furrow.knowledge.parsing.apart import photo_clean, photo_facts, table_lines
from furrow.knowledge.parsing.errors import ParseFailure


def png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )  # fmt: skip


def workbook(rows: list[list[object]], extra: dict[str, bytes] | None = None) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return out.getvalue()


def rows_code(data: bytes, *, max_rows: int = 100) -> str:
    with pytest.raises(ParseFailure) as caught:
        table_lines(data, max_rows=max_rows, max_columns=10)
    return caught.value.code


def photo_code(data: bytes) -> str:
    with pytest.raises(ParseFailure) as caught:
        photo_facts(data)
    return caught.value.code


def test_workbook_and_csv_come_back_as_lines() -> None:
    read = table_lines(workbook([["码", "n"], ["A", 5.0], [None, 1.25]]), max_rows=9, max_columns=9)
    assert (read.encoding, read.lines) == (
        "xlsx",
        [(1, ["码", "n"]), (2, ["A", "5"]), (3, ["", "1.25"])],
    )
    read = table_lines("码\tn\n甲\t2\n".encode("gb18030"), max_rows=9, max_columns=1)
    assert (read.encoding, read.lines) == ("gb18030", [(1, ["码"]), (2, ["甲"])])


def test_workbook_that_is_a_bomb_or_damaged_or_forged_is_refused() -> None:
    whole = workbook([["a", "b"]] * 50)
    assert rows_code(workbook([["a"]], {"xl/media/x.bin": bytes(6_000_000)})) == "bomb"
    assert rows_code(whole[: len(whole) // 2]) == "damaged"
    assert rows_code(b"PK\x03\x04" + b"\x00" * 400) == "damaged"
    doctype = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    assert rows_code(workbook([["a"]], {"xl/extra.xml": doctype})) == "doctype_forbidden"
    assert rows_code(whole, max_rows=20) == "too_large"
    assert rows_code(b"a,b\n" * 900, max_rows=20) == "too_large"


def test_photo_tells_what_the_camera_wrote() -> None:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0132], exif[0x0131] = "2026:11:20 08:00:00", "Camera\udcff"
    Image.new("RGB", (64, 48), "red").save(out, "JPEG", exif=exif)
    facts = photo_facts(out.getvalue())
    assert (facts.content_type, facts.width, facts.height) == ("image/jpeg", 64, 48)
    assert facts.taken == "2026:11:20 08:00:00"
    assert facts.software.startswith("Camera")


def test_photo_that_is_a_bomb_or_damaged_or_something_else_is_refused() -> None:
    assert photo_code(png(40_000, 40_000, b"\x00")) == "bomb"
    assert photo_code(png(9_000, 8_000, b"\x00")) == "bomb"
    assert photo_code(png(400, 300, b"\x00" * 90)) == "damaged"
    assert photo_code(b"<svg onload=alert(1)>") == "damaged"
    assert photo_code(b"") == "damaged"


def telling_photo(kind: str) -> bytes:
    """Red above blue, lying on its side, with a place, a maker, a comment and a profile of colours in its file."""
    upright = Image.new("RGB", (48, 96), "red")
    upright.paste("blue", (0, 48, 48, 96))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Software] = "SECRET-maker", "Camera 1"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:20 08:00:00"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSMapDatum] = (39.0, 54.0, 27.5), "SECRET-84"
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", "SECRET words")
    words.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>SECRET</x:xmpmeta>")
    more = {
        "JPEG": {"comment": b"SECRET", "xmp": b"<x:xmpmeta>SECRET</x:xmpmeta>"},
        "MPO": {"save_all": True, "append_images": [Image.new("RGB", (96, 48), "green")]},
        "PNG": {"pnginfo": words},
        "WEBP": {"xmp": b"<x:xmpmeta>SECRET</x:xmpmeta>"},
    }[kind]
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = io.BytesIO()
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    lying.save(out, kind, exif=exif, icc_profile=profile, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "WEBP"])
def test_photo_is_kept_as_a_picture_alone_and_upright(kind: str) -> None:
    given = telling_photo(kind)
    assert b"SECRET" in given
    clean = photo_clean(given)
    assert (clean.facts.taken, clean.facts.software) == ("2026:11:20 08:00:00", "Camera 1")
    assert (clean.facts.width, clean.facts.height) == (48, 96)
    assert b"SECRET" not in clean.data
    with Image.open(io.BytesIO(clean.data)) as kept:
        assert not kept.getexif()
        assert set(kept.info) & {"exif", "xmp", "comment", "XML:com.adobe.xmp"} == set()
        assert (kept.size, getattr(kept, "n_frames", 1)) == ((48, 96), 1)
        assert kept.info["icc_profile"][36:40] == b"acsp"
        red, _, blue = kept.convert("RGB").getpixel((24, 10))
        assert red > 200 > 60 > blue


def test_transparent_and_printed_pictures_keep_their_looks() -> None:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), "red").quantize(8).save(out, "PNG", transparency=0)
    with Image.open(io.BytesIO(photo_clean(out.getvalue()).data)) as kept:
        assert kept.convert("RGBA").getpixel((5, 5))[3] == 0
    out = io.BytesIO()
    Image.new("CMYK", (20, 20), (0, 255, 255, 0)).save(out, "JPEG")
    with Image.open(io.BytesIO(photo_clean(out.getvalue()).data)) as kept:
        assert kept.mode == "RGB"
        assert kept.getpixel((5, 5))[0] > 200 > 60 > kept.getpixel((5, 5))[2]


def test_memory_is_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = png(4_000, 4_000, bytes((4_000 * 3 + 1) * 4_000))
    monkeypatch.setattr(apart, "PHOTO_LIMITS", replace(apart.PHOTO_LIMITS, memory_mb=40))
    assert photo_code(photo) == "out_of_memory"


@pytest.mark.slow
@pytest.mark.usefixtures("cold_readers")
def test_process_starts_as_in_production() -> None:
    """A picture of the most pixels that are accepted is read within its memory."""
    photo = png(8_000, 7_500, bytes((8_000 * 3 + 1) * 7_500))
    assert photo_facts(photo).dhash == "0" * 16
    assert table_lines(b"a,b\n1,2\n", max_rows=9, max_columns=9).lines == [
        (1, ["a", "b"]),
        (2, ["1", "2"]),
    ]


def test_report_of_a_process_that_was_taken_over_is_not_believed() -> None:
    forged = (
        b'{"content_type":"text/html","width":1,"height":1,"dhash":"0","taken":"","software":""}'
    )
    with pytest.raises(ValueError, match="no facts"):
        apart._photo_of(forged)
    with pytest.raises(ValueError, match="no facts"):
        apart._clean_of(b'{"facts":%b,"data":""}' % forged)
    with pytest.raises(TypeError):
        apart._photo_of(b'{"surprise":1}')
    with pytest.raises(ValueError, match="invalid literal"):
        apart._lines_of(b'{"encoding":"x","lines":[["one",[]]]}')


def test_few_files_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(apart, "TURN_WAIT_S", 0.01)
    with apart._turn(), pytest.raises(LimitReached):
        photo_facts(b"")
    assert photo_code(b"") == "damaged"
