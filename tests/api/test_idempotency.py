"""Idempotency-Key on POST: replay, mismatch, failure, and two at once."""

import pytest

from furrow.api.idempotency import run_once
from furrow.core.context import tenant_tx
from furrow.core.errors import Conflict, Invalid
from furrow.knowledge.models import KnowledgeBase
from tests.api.conftest import post, upload
from tests.idempotency import first_call_running


def count(cast):
    with tenant_tx(cast.tenant.id):
        return KnowledgeBase.objects.count()


def test_same_key_and_body_replays_the_answer(api, cast):
    first = post(api, "/knowledge-bases", {"name": "once"}, **{"Idempotency-Key": "a"})
    second = post(api, "/knowledge-bases", {"name": "once"}, **{"Idempotency-Key": "a"})
    assert first.json() == second.json()
    assert (second.status_code, count(cast)) == (201, 1)


def test_same_key_with_another_body_is_refused(api, cast):
    post(api, "/knowledge-bases", {"name": "one"}, **{"Idempotency-Key": "a"})
    other = post(api, "/knowledge-bases", {"name": "two"}, **{"Idempotency-Key": "a"})
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")
    assert count(cast) == 1


def test_failed_call_can_be_repeated(api, cast):
    bad = post(api, "/knowledge-bases", {"name": ""}, **{"Idempotency-Key": "a"})
    assert bad.status_code == 422
    good = post(api, "/knowledge-bases", {"name": "now"}, **{"Idempotency-Key": "a"})
    assert good.status_code == 201


def test_other_tenants_key_is_another_key(api, stranger_api, cast):
    post(api, "/knowledge-bases", {"name": "mine"}, **{"Idempotency-Key": "a"})
    theirs = post(stranger_api, "/knowledge-bases", {"name": "mine"}, **{"Idempotency-Key": "a"})
    assert theirs.status_code == 201
    assert count(cast) == 1


def test_upload_is_compared_by_content(api, cast):
    base = post(api, "/knowledge-bases", {"name": "KB"}).json()["id"]
    path = f"/knowledge-bases/{base}/documents"

    def send(content: bytes):
        file_client = api
        file_client.defaults["HTTP_IDEMPOTENCY_KEY"] = "file"
        try:
            return upload(file_client, path, "a.md", content)
        finally:
            del file_client.defaults["HTTP_IDEMPOTENCY_KEY"]

    first, second, other = send(b"# one"), send(b"# one"), send(b"# two")
    assert first.json() == second.json()
    assert other.status_code == 422


def test_second_call_while_the_first_runs_is_told_to_wait(cast):
    def call():
        return run_once(
            tenant_id=cast.tenant.id, caller="c", key="k", digest="d", action=lambda: (200, {})
        )

    with first_call_running(cast.tenant.id, "c", "k"), pytest.raises(Conflict):
        call()
    # The first one's process was killed: nothing has to be waited out.
    assert call() == (200, {})


def test_overlong_key_is_refused(cast):
    with pytest.raises(Invalid):
        run_once(
            tenant_id=cast.tenant.id,
            caller="c",
            key="k" * 200,
            digest="d",
            action=lambda: (200, {}),
        )
