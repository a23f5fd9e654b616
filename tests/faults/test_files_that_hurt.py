"""Files that cannot or must not be read: each ends in its sentence, and nobody else notices."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from furrow.knowledge.failures import failure_message
from tests.faults import hostile
from tests.faults.client import Business
from tests.faults.product import Product, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]


def test_neighbour_is_not_held_up(
    shop: Business, neighbour: Business, files: dict[str, Path], say: dict[str, float]
) -> None:
    """One tenant sends as many photos of text as there are readers; the other's file goes past them."""
    photos = [neighbour.upload(files["photo"], f"photo-{n}.jpg") for n in range(3)]
    under_load = _seconds_to_read(shop, files["docx"], "beside.docx")
    busy = {neighbour.document(photo)["status"] for photo in photos}
    neighbour.settled(photos, within_s=90)
    alone = _seconds_to_read(shop, files["docx"], "alone.docx")
    say["file alone, s"], say["beside three photos of another, s"] = alone, under_load
    assert busy != {"ready"}
    assert under_load < 2 * alone + 2


def test_each_ends_as_failed_with_its_sentence(
    product: Product, neighbour: Business, tmp_path: Path
) -> None:
    worker = product.running("worker-ingest").pid
    ids = {code: neighbour.upload(path) for code, path in hostile.write_all(tmp_path).items()}
    neighbour.settled(ids.values(), within_s=60)
    for code, document_id in ids.items():
        _failed_with(neighbour, document_id, code)
    assert product.running("worker-ingest").pid == worker


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGSEGV, "crashed"),
        (signal.SIGXCPU, "timeout"),
        (signal.SIGKILL, "out_of_memory"),
    ],
)
def test_end_of_the_reading_process_is_only_a_failure(
    product: Product, shop: Business, files: dict[str, Path], number: signal.Signals, code: str
) -> None:
    """The signals are the kernel's: native code gone wrong, processor time spent, memory short."""
    busy = product.parsers()
    document_id = shop.upload(files["scan"], f"{code}.pdf")
    assert until(lambda: _strike(product, busy, number), within_s=20, every_s=0.02)
    shop.settled([document_id], within_s=30)
    _failed_with(shop, document_id, code)


def test_never_ending_drawing_is_stopped(neighbour: Business, tmp_path: Path) -> None:
    document_id = neighbour.upload(hostile.endless_pdf(tmp_path / "endless.pdf"))
    row = neighbour.settled([document_id], within_s=60)[document_id]
    assert row["error"]["code"] in {"crashed", "timeout", "out_of_memory"}
    _failed_with(neighbour, document_id, row["error"]["code"])


def _seconds_to_read(business: Business, path: Path, name: str) -> float:
    began = time.monotonic()
    row = business.settled([business.upload(path, name)], within_s=60)
    assert [r["status"] for r in row.values()] == ["ready"]
    return time.monotonic() - began


def _strike(product: Product, busy: list[psutil.Process], number: signal.Signals) -> bool:
    fresh = [process for process in product.parsers() if process not in busy]
    for process in fresh:
        process.send_signal(number)
    return bool(fresh)


def _failed_with(business: Business, document_id: str, code: str) -> None:
    for language, tag in (("zh-hans", "zh-CN"), ("en", "en")):
        row = business.document(document_id, tag)
        assert row["status"] == "failed"
        assert row["error"] == {"code": code, "message": failure_message(code, language)}
