"""The model server is away: words still find, and vectors come when it is back."""

import time
from pathlib import Path

import pytest

from tests.faults.client import Business, finish
from tests.faults.product import Product, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]


QUESTION = "How many photos does a claim need?"
AWAY = "vectors_unavailable"


def test_everything_goes_on_by_words_and_vectors_come_later(
    product: Product, shop: Business, desk: str, files: dict[str, Path], say: dict[str, float]
) -> None:
    assert AWAY not in shop.search(QUESTION)["notes"]
    product.running("inference").suspend()
    try:
        document_id = shop.upload(files["docx"], "no-vectors.docx")
        began = time.monotonic()
        found = shop.search(QUESTION)
        say["first search while it hangs, s"] = time.monotonic() - began
        assert found["results"]
        assert AWAY in found["notes"]
        say["slowest answer, s"] = finish(shop.ask(desk, 4), 40)
    finally:
        product.kill("inference")
    began = time.monotonic()
    assert AWAY in shop.search(QUESTION)["notes"]
    assert shop.settled([document_id], within_s=60)[document_id]["status"] == "ready"
    assert until(lambda: not _without_vector(product), within_s=60, every_s=0.5)
    say["vectors complete after, s"] = time.monotonic() - began
    assert until(lambda: AWAY not in shop.search(QUESTION)["notes"], within_s=30, every_s=0.5)
    say["searched by meaning after, s"] = time.monotonic() - began


def _without_vector(product: Product) -> int:
    rows = product.sql(
        "SELECT count(*) FROM knowledge_chunk c"
        " JOIN knowledge_document d ON d.live_version_id = c.version_id WHERE c.is_enabled AND"
        " NOT EXISTS (SELECT 1 FROM knowledge_chunkvector v WHERE v.chunk_id = c.id"
        " AND v.model NOT LIKE 'building:%%')"
    )
    return int(rows[0][0])
