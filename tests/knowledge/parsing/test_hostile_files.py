"""Files that are wrong, huge or built to hurt; each ends in a named failure, nothing else."""

import fcntl
import os
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from pathlib import Path

import docx
import pytest

from furrow.knowledge.parsing.document import ParsedDocument
from furrow.knowledge.parsing.errors import MESSAGES, ParseFailure
from furrow.knowledge.parsing.limits import ParseLimits
from furrow.knowledge.parsing.runner import parse_file

CONTENT_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
SOURCE_ROOT = Path(__file__).resolve().parents[3] / "platform"


def parse(path: Path, name: str = "", **limits: int) -> ParsedDocument:
    return parse_file(path, file_name=name or path.name, limits=ParseLimits(**limits))


def failure_code(path: Path, name: str = "", **limits: int) -> str:
    with pytest.raises(ParseFailure) as caught:
        parse(path, name, **limits)
    return caught.value.code


def office_file(path: Path, parts: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(rows or (b"\x00" + b"\xff" * width) * height)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.usefixtures("cold_readers")
def test_a_file_is_read_in_a_process_without_network_or_environment(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_text("发货当天处理。", encoding="utf-8")
    seen: list[tuple[int, int]] = []
    document = parse_file(path, file_name="a.txt", on_progress=lambda a, b: seen.append((a, b)))
    assert document.text == "发货当天处理。"
    assert document.meta["network_wall"] in ("namespace", "audit hook")


def test_isolation_refuses_sockets_processes_and_large_writes(tmp_path: Path) -> None:
    program = (
        "import socket, subprocess, sys\n"
        "from furrow.knowledge.parsing.isolation import isolate\n"
        "from furrow.knowledge.parsing.limits import ParseLimits\n"
        "wall = isolate(ParseLimits(max_result_bytes=1000))\n"
        "refused = 0\n"
        "for act in (lambda: socket.socket(), lambda: subprocess.run(['true']),\n"
        "            lambda: socket.getaddrinfo('example.org', 80)):\n"
        "    try:\n"
        "        act()\n"
        "    except PermissionError:\n"
        "        refused += 1\n"
        "import signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n"
        "    with open('big', 'wb', buffering=0) as f:\n"
        "        f.write(b'x' * 1000)\n"
        "        f.write(b'x' * 1000)\n"
        "except OSError:\n"
        "    refused += 1\n"
        "print(refused, wall, open('/proc/net/dev').read().count(':'), sep='/')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(SOURCE_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    refused, wall, interfaces = done.stdout.strip().split("/")
    assert refused == "4"
    # A namespace of its own holds the loopback interface and nothing else.
    assert wall == "audit hook" or interfaces == "1"


@pytest.mark.usefixtures("cold_readers")
def test_reading_a_text_file_starts_fast(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_text("word " * 100)
    spent = []
    for _ in range(3):
        before = os.times()
        parse(path, "a.txt")
        after = os.times()
        spent.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    assert min(spent) < 0.4


def test_parsing_needs_neither_settings_nor_heavy_libraries() -> None:
    program = (
        "import sys, furrow.knowledge.parsing.child, furrow.knowledge.chunking\n"
        "heavy = {'django', 'numpy', 'openpyxl', 'pptx', 'trafilatura', 'pypdfium2', 'lxml', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SOURCE_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("scan.pdf", png(64, 64), "wrong_type"),
        ("photo.png", b"%PDF-1.7\n", "wrong_type"),
        ("notes.pdf", b"just words, no document", "wrong_type"),
        ("notes.txt", b"\x00\x01\x02\x03" * 300, "unsupported"),
        ("movie.mp4", b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 500, "unsupported"),
        ("letter.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "old_office"),
        ("locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        ("broken.pdf", b"%PDF-1.7\nnothing of a document", "damaged"),
        ("broken.docx", b"PK\x03\x04 cut off", "damaged"),
        ("empty.txt", b"", "empty"),
        ("blank.txt", b" \n\n ", "empty"),
        ("cut.png", png(64, 64)[:60], "damaged"),
    ],
)  # fmt: skip
def test_wrong_files_are_named(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    path = tmp_path / "stored"
    path.write_bytes(data)
    assert failure_code(path, name) == code


def test_the_name_does_not_decide_what_a_file_is(tmp_path: Path) -> None:
    source = docx.Document()
    source.add_paragraph("当天发货。")
    source.save(tmp_path / "real.docx")
    assert parse(tmp_path / "real.docx", "upload").text == "当天发货。"
    assert failure_code(tmp_path / "real.docx", "prices.xlsx") == "wrong_type"


def test_file_over_the_size_limit_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(b"x" * 2_000)
    assert failure_code(path, "a.txt", max_bytes=1_000) == "too_large"


def test_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = office_file(tmp_path / "b.xlsx", {"xl/worksheets/sheet1.xml": b"\x00" * 60_000_000})
    assert failure_code(path) == "bomb"


def test_zip_that_lies_about_its_sizes_is_refused(tmp_path: Path) -> None:
    path = office_file(tmp_path / "b.docx", {"word/document.xml": b"a" * 20_000_000})
    size = struct.pack("<I", 20_000_000)
    data = path.read_bytes().replace(size, struct.pack("<I", 100))
    path.write_bytes(data)
    assert failure_code(path) in ("bomb", "damaged")


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({f"word/p{n}.xml": "<a/>" for n in range(2_001)}, "bomb"),
        ({"word/document.xml": "<a/>", "word/inner.zip": b"PK\x03\x04rest"}, "bomb"),
        ({"word/document.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}, "doctype_forbidden"),
        ({"word/document.xml": "<a/>", "word/x.rels": "<?xml version='1.0'?><!doctype a><a/>"}, "doctype_forbidden"),
        ({"word/document.xml": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16")}, "doctype_forbidden"),
        ({"word/document.xml": "<not closed"}, "damaged"),
        ({"word/document.xml": "<a/>"}, "damaged"),
        ({"other/file.xml": "<a/>"}, "wrong_type"),
    ],
)  # fmt: skip
def test_hostile_office_files_are_refused(
    tmp_path: Path, parts: dict[str, bytes | str], code: str
) -> None:
    assert failure_code(office_file(tmp_path / "h.docx", parts)) == code


def test_doctype_across_a_read_border_is_found(tmp_path: Path) -> None:
    filler = "<!-- " + os.urandom(600_000).hex()[: 1024 * 1024 - 12] + " -->"
    part = filler[: 1024 * 1024 - 5] + "<!DOCTYPE a><a/>"
    assert (
        failure_code(office_file(tmp_path / "h.docx", {"word/document.xml": part}))
        == "doctype_forbidden"
    )


def test_billion_laughs_in_a_word_file_is_refused(tmp_path: Path) -> None:
    entities = '<!ENTITY a0 "lol">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    )
    part = f'<?xml version="1.0"?><!DOCTYPE d [{entities}]><d>&a9;</d>'
    assert (
        failure_code(office_file(tmp_path / "l.docx", {"word/document.xml": part}))
        == "doctype_forbidden"
    )


def test_locked_pdf_asks_for_a_copy_without_password(tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
        b"4 0 obj<</Filter/Standard/V 2/R 3/Length 128/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>endobj\n"
        b"trailer<</Root 1 0 R/Encrypt 4 0 R/ID[<0102><0102>]/Size 5>>\n%%EOF\n"
    )  # fmt: skip
    assert failure_code(path) == "encrypted"


def endless_pdf(path: Path) -> Path:
    """Forms that draw forms, ten times each: few bytes, and no end in reach."""
    body = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    body += b"2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
    body += b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
    body += b"/Resources<</XObject<</F 10 0 R>>>>>>endobj\n4 0 obj<</Length 5>>stream\n/F Do\nendstream endobj\n"
    for level in range(10, 22):
        content = b"/F Do " * 10
        body += (
            b"%d 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length %d/Resources<</XObject<</F %d 0 R>>>>>>"
            b"stream\n%s\nendstream endobj\n" % (level, len(content), level + 1, content)
        )
    path.write_bytes(body + b"trailer<</Root 1 0 R/Size 30>>\n%%EOF\n")
    return path


@pytest.mark.usefixtures("cold_readers")
@pytest.mark.slow
def test_endless_pdf_is_stopped_by_processor_time(tmp_path: Path) -> None:
    before = time.monotonic()
    assert failure_code(endless_pdf(tmp_path / "e.pdf"), cpu_s=1) in ("timeout", "out_of_memory")
    assert time.monotonic() - before < 20


@pytest.mark.usefixtures("cold_readers")
@pytest.mark.slow
def test_slow_file_is_stopped_by_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(b"a,b,c\n" * 3_000_000)
    assert failure_code(path, "a.csv", wall_s=1, max_chars=10**9) in ("timeout", "out_of_memory")


@pytest.mark.usefixtures("cold_readers")
def test_memory_hungry_file_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(b"a,b,c,d,e,f,g,h,i,j,k\n" * 2_000_000)
    assert failure_code(path, "a.csv", memory_mb=200) == "out_of_memory"


def test_huge_picture_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png(40_000, 40_000, rows=b"\x00"))
    assert failure_code(path) == "bomb"


@pytest.mark.usefixtures("cold_readers")
def test_a_crash_is_only_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is replaced by one that dies as native code does."""
    package = tmp_path / "furrow" / "knowledge" / "parsing"
    package.mkdir(parents=True)
    for folder in (package, package.parent, package.parent.parent):
        (folder / "__init__.py").touch()
    (package / "child.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    monkeypatch.setattr("furrow.knowledge.parsing.runner._SOURCE_ROOT", tmp_path)
    path = tmp_path / "a.txt"
    path.write_text("words")
    assert failure_code(path) == "crashed"
    (package / "child.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    assert failure_code(path) == "out_of_memory"
    flood = "import json, os, sys\nfd = json.loads(sys.stdin.readline())['fd']\nos.write(fd, b'x' * 9000)\n"
    (package / "child.py").write_text(flood)
    assert failure_code(path, max_result_bytes=4_000) == "too_large"
    (package / "child.py").write_text(flood.replace("b'x' * 9000", "b'{}\\n'"))
    assert failure_code(path) == "crashed"


@pytest.mark.slow
@pytest.mark.usefixtures("cold_readers")
def test_pictures_are_recognised_one_at_a_time(tmp_path: Path) -> None:
    picture = tmp_path / "blank.png"
    picture.write_bytes(png(400, 300))
    turn = tmp_path / "turn"
    with turn.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ParseFailure) as caught:
            parse_file(
                picture,
                file_name="blank.png",
                limits=ParseLimits(wall_s=4, ocr_page_s=0, turn_path=str(turn)),
            )
    assert caught.value.code == "timeout"
    limits = ParseLimits(turn_path=str(turn))
    with pytest.raises(ParseFailure) as caught:
        parse_file(picture, file_name="blank.png", limits=limits)
    assert caught.value.code == "empty_scan"


@pytest.mark.slow
def test_scan_without_words_is_an_empty_scan(tmp_path: Path) -> None:
    path = tmp_path / "blank.png"
    path.write_bytes(png(400, 300))
    assert failure_code(path) == "empty_scan"


def test_blank_pdf_is_an_empty_scan(tmp_path: Path) -> None:
    path = tmp_path / "blank.pdf"
    path.write_bytes(
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>"
        b"endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )  # fmt: skip
    assert failure_code(path) == "empty_scan"


def test_every_failure_speaks_both_languages() -> None:
    for code, sentences in MESSAGES.items():
        failure = ParseFailure(code, "detail")
        assert failure.message_in("zh-CN") == sentences["zh-hans"]
        assert failure.message_in("en") == failure.message == sentences["en"]
        assert "知识库内容没有变化" in sentences["zh-hans"]
        assert "detail" not in failure.message
