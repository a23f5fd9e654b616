"""Redis dies with all it holds: bells, streams, limits. The rows are the truth."""

import time
from pathlib import Path

import pytest

from tests.faults.client import Business, finish
from tests.faults.product import Product, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

SWEEP_S = 10


def test_nothing_accepted_is_lost_with_redis(
    product: Product, shop: Business, desk: str, files: dict[str, Path], say: dict[str, float]
) -> None:
    ids = [shop.upload(files["docx"], f"bell-{n}.docx") for n in range(3)]
    readers = shop.ask(desk, 12)
    old = product.kill("redis")
    ids.append(shop.upload(files["md"], "no-bell.md"))
    readers += shop.ask(desk, 4)
    assert until(lambda: product.restarted("redis", old), within_s=20)
    began = time.monotonic()
    rows = shop.settled(ids, within_s=2 * SWEEP_S + 20)
    say["files ready after, s"] = time.monotonic() - began
    assert {row["status"] for row in rows.values()} == {"ready"}
    say["slowest answer, s"] = finish(readers, 2 * SWEEP_S + 20)
    say["answer afterwards, s"] = finish(shop.ask(desk, 4), 20)
