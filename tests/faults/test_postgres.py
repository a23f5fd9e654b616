"""PostgreSQL is restarted without mercy under uploads and questions."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.faults.client import Business, finish
from tests.faults.product import Product, bar, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]


def test_acknowledged_work_survives_a_database_restart(
    product: Product, shop: Business, desk: str, files: dict[str, Path], say: dict[str, float]
) -> None:
    old = {name: product.running(name).pid for name in ("web", "worker-chat", "worker-ingest")}
    ids = [shop.upload(files["docx"], f"restart-{n}.docx") for n in range(3)]
    readers = shop.ask(desk, 12)
    _restart(product)
    began = time.monotonic()
    assert until(lambda: _answers(shop), within_s=bar(10))
    say["web answers after, s"] = time.monotonic() - began
    assert sum(_answers(shop) for _ in range(20)) == 20
    say["slowest answer, s"] = finish(readers, 60)
    rows = shop.settled(ids, within_s=60)
    say["files ready after, s"] = time.monotonic() - began
    assert {row["status"] for row in rows.values()} == {"ready"}
    assert {name: product.running(name).pid for name in old} == old
    doubled = product.sql(
        "SELECT version_id, ordinal FROM knowledge_chunk GROUP BY 1, 2 HAVING count(*) > 1"
    )
    assert not doubled


def test_killed_database_is_brought_back(
    product: Product, shop: Business, desk: str, files: dict[str, Path], say: dict[str, float]
) -> None:
    ids = [shop.upload(files["docx"], f"killed-{n}.docx") for n in range(2)]
    # Many idle connections, each of which will be found dead.
    with ThreadPoolExecutor(20) as visitors:
        assert all(visitors.map(lambda _: _answers(shop), range(100)))
    postmaster = product.postmaster()
    assert postmaster is not None
    postmaster.kill()
    began = time.monotonic()
    assert until(lambda: product.postmaster() not in {None, postmaster}, within_s=bar(20))
    say["database back after the kill, s"] = time.monotonic() - began
    assert until(lambda: _answers(shop), within_s=bar(20))
    say["web answers after the kill, s"] = time.monotonic() - began
    assert {row["status"] for row in shop.settled(ids, within_s=60).values()} == {"ready"}
    finish(shop.ask(desk, 2), 60)


def _answers(business: Business) -> bool:
    return business.http.get("/knowledge-bases").is_success


def _restart(product: Product) -> None:
    """As `pg_ctl restart -m immediate`: no goodbye to anybody, recovery from the log."""
    postmaster = product.postmaster()
    assert isinstance(postmaster, psutil.Process)
    folder = product.var / "postgres"
    subprocess.run(
        [str(Path(postmaster.exe()).parent / "pg_ctl"), "restart", "-m", "immediate", "-w",
         "-D", str(folder), "-l", str(folder / "log")],
        user=postmaster.uids().real, group=postmaster.gids().real, cwd="/", check=True, timeout=30,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
