"""The worker that asks the golden questions is killed in the middle of a run; its answers stay, the rest follows."""

import time

import pytest

from tests.faults.client import Business
from tests.faults.product import Product, bar, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

LEASE_S = 30
QUESTIONS = 60
_DONE = """SELECT r.position, r.answer, r.duration_ms FROM assistants_evaluationresult r
            WHERE r.run_id = %s AND r.is_done ORDER BY r.position"""


def test_evaluation_goes_on_after_its_worker_was_killed(
    product: Product, shop: Business, desk: str, say: dict[str, float]
) -> None:
    for n in range(QUESTIONS):
        shop.post(
            f"/assistants/{desk}/golden-questions", {"question": f"第{n}次问：赔付要几张照片"}
        )
    run_id = str(shop.post(f"/assistants/{desk}/evaluations", {})["id"])
    assert until(lambda: len(product.sql(_DONE, run_id)) >= 3, within_s=30, every_s=0.02)
    old = product.kill("worker-ingest", with_children=True)
    killed_at = time.monotonic()
    kept = product.sql(_DONE, run_id)
    assert len(kept) < QUESTIONS, "the run was over before the kill"
    assert until(lambda: product.restarted("worker-ingest", old), within_s=20)
    within_s = bar(LEASE_S + 30)
    ended = until(lambda: shop.get(f"/evaluations/{run_id}")["finished_at"], within_s=within_s)
    run = shop.get(f"/evaluations/{run_id}")
    assert ended, run
    say["run done after the kill, s"] = time.monotonic() - killed_at
    assert run["state"] == "done"
    assert run["progress"] == {"done": QUESTIONS, "total": QUESTIONS}
    answers = product.sql(_DONE, run_id)
    assert [position for position, _, _ in answers] == list(range(QUESTIONS))
    # Not asked a second time: text and duration stand as they stood when the worker died.
    assert [row for row in answers if row[0] < len(kept)] == kept
