"""Readers of a review's progress: from the beginning, after what they saw, and when the stream is lost."""

import json

import pytest
from asgiref.sync import async_to_sync

from apps.contracts import progress, selectors
from apps.contracts.demo import review_begin
from apps.contracts.services.reviews import run_cancel
from furrow.core.context import tenant_tx
from furrow.core.redis import sync_redis
from furrow.tenants.services import SYSTEM
from tests.apps.contracts.conftest import jobs_run


def frames(tenant_id, run_id, last_event_id=""):
    async def read():
        return [frame.decode() async for frame in progress.follow(tenant_id, run_id, last_event_id)]

    return async_to_sync(read)()


def names(received):
    return [line[7:] for frame in received for line in frame.splitlines() if line[:7] == "event: "]


def data(frame):
    return json.loads(next(line[6:] for line in frame.splitlines() if line[:6] == "data: "))


@pytest.fixture
def followed(cast, contract, django_capture_on_commit_callbacks):
    """A review whose events were told as it went on."""
    with django_capture_on_commit_callbacks(execute=True):
        with tenant_tx(cast.tenant.id):
            review_begin(contract, "sale")
        jobs_run()
    with tenant_tx(cast.tenant.id):
        return selectors.run_newest(contract)


def test_each_step_is_told_and_the_end_last(cast, followed):
    received = frames(cast.tenant.id, followed.id)
    told = [data(frame) for frame in received]
    steps = list(dict.fromkeys(stage["name"] for stage in told[:-1]))
    assert steps == ["reading", "clauses", "checks", "playbook"]
    assert {s["name"] for s in told[:-1] if s["state"] == "done"} == set(steps)
    assert names(received)[-1] == "done"
    assert told[-1]["run_id"] == str(followed.id)
    assert told[-1]["findings"]["high"] >= 2


def test_reader_resumes_after_the_last_event_it_saw(cast, followed):
    received = frames(cast.tenant.id, followed.id)
    last = received[1].splitlines()[0].removeprefix("id: ")
    assert frames(cast.tenant.id, followed.id, last) == received[2:]
    assert frames(cast.tenant.id, followed.id, "rubbish") == received


def test_lost_stream_and_seen_end_are_told_from_the_row(cast, followed):
    last = frames(cast.tenant.id, followed.id)[-1].splitlines()[0].removeprefix("id: ")
    assert names(frames(cast.tenant.id, followed.id, last)) == ["done"]
    sync_redis().delete(progress.stream_key(cast.tenant.id, followed.id))
    assert names(frames(cast.tenant.id, followed.id)) == ["done"]


def test_cancelled_review_tells_its_end(cast, contract, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), tenant_tx(cast.tenant.id):
        review_begin(contract, "sale")
        run = selectors.run_newest(contract)
        run_cancel(actor=SYSTEM, run=run)
    received = frames(cast.tenant.id, run.id)
    assert (names(received), data(received[-1])["state"]) == (["done"], "cancelled")


def test_stranger_is_told_nothing(cast, followed, stranger_api, api):
    assert names(frames(cast.other_tenant.id, followed.id)) == ["error"]
    url = f"/api/v1/contracts/runs/{followed.id}/events"
    assert stranger_api.get(url).status_code == 404
    answer = api.get(url)
    assert answer["Content-Type"] == "text/event-stream"
    assert cast.client(cast.stranger).get(
        f"/t/{cast.tenant.slug}/contracts/runs/{followed.id}/events/"
    ).status_code == 404  # fmt: skip
