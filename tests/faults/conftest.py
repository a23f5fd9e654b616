"""One running product for all drills; each leaves it well. They run in the order of the files' names."""

import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.conftest import free_port
from tests.faults.client import Business
from tests.faults.product import ROOT, Product

DEMO = ROOT / "platform" / "furrow" / "ops" / "demo" / "files"


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    # Not pytest's own folder: PostgreSQL may run as another user, who must get through to its data.
    folder = Path(tempfile.mkdtemp(prefix="furrow-faults-"))
    product = Product(folder, free_port())
    stop = threading.Event()
    watcher = threading.Thread(target=product.watch_memory, args=[stop], daemon=True)
    product.first_start_s = product.start()
    watcher.start()
    try:
        yield product
    finally:
        stop.set()
        watcher.join(10)
        _end(product)
        shutil.rmtree(folder, ignore_errors=True)


def _end(product: Product) -> None:
    left = product.everything() if product.process and product.process.poll() is None else []
    product.stop()
    for process in psutil.wait_procs(left, timeout=10)[1]:
        process.kill()


@pytest.fixture(scope="session")
def shop(product: Product) -> Iterator[Business]:
    with Business(product, "shop") as business:
        yield business


@pytest.fixture(scope="session")
def neighbour(product: Product) -> Iterator[Business]:
    with Business(product, "neighbour") as business:
        yield business


@pytest.fixture(scope="session")
def files() -> dict[str, Path]:
    """Real ones: a PDF of several pages, a Word file, a scan, a text in English, a photo of text."""
    orchard, office = DEMO / "orchard", DEMO / "lawoffice"
    return {
        "pdf": orchard / "shipping_and_claims.pdf",
        "docx": office / "lease_contract_zh.docx",
        "scan": orchard / "price_sheet_scan.pdf",
        "md": orchard / "faq_en.md",
        "photo": orchard / "harvest_notice.jpg",
    }


@pytest.fixture(scope="session")
def clean(shop: Business, files: dict[str, Path]) -> dict[str, str]:
    """The documents of an undisturbed reading, by kind."""
    ids = {kind: shop.upload(path, f"clean-{path.name}") for kind, path in files.items()}
    shop.settled(ids.values(), within_s=90)
    return ids


@pytest.fixture(scope="session")
def desk(shop: Business, clean: dict[str, str]) -> str:
    """A published assistant that knows the files."""
    return shop.assistant()


@pytest.fixture
def say(product: Product, capsys: pytest.CaptureFixture[str]) -> Iterator[dict[str, float]]:
    """Figures of one drill, printed when it ends."""
    figures: dict[str, float] = {}
    yield figures
    with capsys.disabled():
        print(" ", " · ".join(f"{name} {value:.1f}" for name, value in figures.items()), end=" ")  # noqa: T201  the drill's result
