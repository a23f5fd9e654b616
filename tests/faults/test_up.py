"""`manage.py up` itself: what it says when it cannot start, what it needs, and what it leaves behind."""

import socket
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import free_port
from tests.faults.product import Product, bar, is_alive, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

GB = 1024**3


def test_second_start_in_the_same_folder_is_told_so(product: Product) -> None:
    assert "Furrow is already running from this folder" in product.up_again(port=free_port())


def test_taken_port_is_named(product: Product, tmp_path: Path) -> None:
    said = product.up_again(var=tmp_path)
    assert f"Port {product.port} is taken by another program" in said


def test_memory_of_everything_stays_under_2_gb(product: Product, say: dict[str, float]) -> None:
    """The greatest sum of all drills, text recognition among them; memory that processes share counts once."""
    say["first start, s"] = product.first_start_s
    say["greatest RSS, GB"], say["greatest PSS, GB"] = product.peak_rss / GB, product.peak_pss / GB
    say.update({f"{name}, MB": size / 1024**2 for name, size in product.peak_parts.items()})
    assert product.peak_pss < 2 * GB


def test_killed_supervisor_leaves_no_orphans_and_starts_again(
    product: Product, say: dict[str, float]
) -> None:
    below = product.supervisor().children(recursive=True)
    postmaster = product.postmaster()
    product.supervisor().kill()
    began = time.monotonic()
    assert product.process is not None
    product.process.wait(10)
    gone = until(lambda: not any(is_alive(process) for process in below), within_s=15)
    assert gone, [process for process in below if is_alive(process)]
    say["all gone after, s"] = time.monotonic() - began
    say["start again, s"] = seconds = product.start()
    assert seconds < bar(20)
    assert product.postmaster() == postmaster


def test_ctrl_c_leaves_nothing_and_the_next_start_is_fast(
    product: Product, say: dict[str, float]
) -> None:
    before = product.everything()
    say["stop, s"] = product.stop()
    assert not [process for process in before if is_alive(process)]
    for port in range(product.port, product.port + 3):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    say["second start, s"] = seconds = product.start()
    assert seconds < bar(20)
