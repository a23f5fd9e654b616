"""Workers are killed while fifty contracts are under review: each finding is there exactly once."""

import time
from pathlib import Path

import pytest

from tests.faults.client import Business
from tests.faults.product import Product, bar, until

# With the trade taken out there is nothing to test.
office = pytest.importorskip("tests.apps.contracts.conftest")
written = pytest.importorskip("tests.apps.contracts.written.contracts")
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(420)]

CONTRACTS = 50
FINISHED = {"done", "failed"}


@pytest.fixture(scope="module")
def runs(product: Product, shop: Business, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Fifty written contracts with slips, each with its review; the worker dies twice on the way."""
    folder: Path = tmp_path_factory.mktemp("contracts")
    ids = [_begin(shop, folder, number) for number in range(CONTRACTS)]
    for with_children in (False, True):
        assert until(lambda: _some_are_running(product), within_s=60)
        old = product.kill("worker-ingest", with_children=with_children)
        assert until(lambda o=old: product.restarted("worker-ingest", o), within_s=20)
    return ids


def _begin(shop: Business, folder: Path, number: int) -> str:
    kind = list(written.BODIES)[number % len(written.BODIES)]
    text, _slips = written.planted(kind, written.contract_text(kind, number), number)
    path = folder / f"{kind}-{number}.docx"
    path.write_bytes(office.word_file(text))
    with path.open("rb") as file:
        made = shop.http.post("/contracts", files={"file": (path.name, file)})
    assert made.status_code == 202, made.text
    run = shop.post(f"/contracts/{made.json()['id']}/runs", {"has_playbook": False})
    return str(run["id"])


def _some_are_running(product: Product) -> bool:
    """A kill counts only while reviews are running."""
    found = dict(product.sql("SELECT state, count(*) FROM contracts_reviewrun GROUP BY state"))
    return found.get("running", 0) > 0


def test_every_review_ends_after_its_worker_died(
    shop: Business, runs: list[str], say: dict[str, float]
) -> None:
    began = time.monotonic()
    waiting = set(runs)

    def ended() -> bool:
        for run_id in list(waiting):
            if shop.get(f"/contracts/runs/{run_id}")["state"] in FINISHED:
                waiting.discard(run_id)
        return not waiting

    assert until(ended, within_s=bar(180))
    say["fifty reviews after the kills, s"] = time.monotonic() - began
    states = {shop.get(f"/contracts/runs/{run_id}")["state"] for run_id in runs}
    assert states == {"done"}


def test_each_finding_is_there_exactly_once(
    product: Product, shop: Business, runs: list[str]
) -> None:
    """The same as an undisturbed review of the same text finds."""
    doubled = product.sql(
        'SELECT run_id, rule, start, "end", count(*) FROM contracts_finding'
        " GROUP BY 1, 2, 3, 4 HAVING count(*) > 1"
    )
    assert doubled == []
    for run_id in runs[::7]:
        run = shop.get(f"/contracts/runs/{run_id}")
        again = shop.post(f"/contracts/{run['contract_id']}/runs", {"has_playbook": False})
        assert until(
            lambda r=again["id"]: shop.get(f"/contracts/runs/{r}")["state"] == "done", within_s=60
        )
        assert _spans(shop, run_id) == _spans(shop, again["id"])


def _spans(shop: Business, run_id: str) -> list[tuple[str, int, int, str]]:
    rows = shop.get(f"/contracts/runs/{run_id}/findings")["items"]
    return sorted((row["rule"], row["start"], row["end"], row["quote"]) for row in rows)
