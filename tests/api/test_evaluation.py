"""Golden questions and the publish gate over REST."""

import pytest
from django.test import Client

from furrow.core.context import tenant_tx
from furrow.tenants.models import AuditEntry
from furrow.tenants.services import SYSTEM, api_key_create
from tests.api.conftest import post, run_all_jobs


@pytest.fixture(autouse=True)
def _words_only(settings):
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    settings.EMBEDDINGS_LANGUAGES = ["none"]


def work() -> None:
    for lane in ("chat", "ingest"):
        run_all_jobs(lane)


def test_publication_is_checked_and_then_live(world, api):
    path = f"/assistants/{world.assistant.id}/publications"
    waiting = post(api, path, {"note": "looser"})
    assert waiting.status_code == 202
    check = waiting.json()
    assert (check["id"], check["state"]) == (str(world.check.id), "checking")
    work()
    done = api.get(f"/api/v1/publication-checks/{check['id']}").json()
    assert (done["state"], done["version"]) == ("published", 2)
    run = api.get(f"/api/v1/evaluations/{check['evaluation_id']}").json()
    assert run["progress"] == {"done": 2, "total": 2}
    assert run["summary"]["broken"] == 0


def test_what_breaks_is_blocked_until_a_reason_is_given(world, api, cast):
    base = f"/api/v1/assistants/{world.assistant.id}"
    api.patch(base, {"settings": {"threshold": 1.0}}, content_type="application/json")
    path = f"/assistants/{world.assistant.id}/publications"
    check = post(api, path, {}).json()
    assert check["id"] != str(world.check.id)
    work()
    blocked = api.get(f"/api/v1/publication-checks/{check['id']}").json()
    assert blocked["state"] == "blocked"
    rows = api.get(f"/api/v1/evaluations/{check['evaluation_id']}/results").json()["items"]
    sides = {row["side"]: row for row in rows}
    assert (sides["candidate"]["is_passed"], sides["base"]["is_passed"]) == (False, True)
    assert any(not line["is_ok"] for line in sides["candidate"]["checks"])
    over = post(api, path, {"override_reason": "the rule changed"})
    assert (over.status_code, over.json()["version"]) == (201, 2)
    with tenant_tx(cast.tenant.id):
        entry = AuditEntry.objects.filter(action="assistant.published").latest("created_at")
    assert entry.data["override_reason"] == "the rule changed"


def test_rolling_back_never_waits(world, api):
    answer = post(api, f"/assistants/{world.assistant.id}/publications", {"version": 1})
    assert (answer.status_code, answer.json()["version"]) == (201, 2)


def test_golden_question_is_made_changed_and_deleted(world, api):
    path = f"/assistants/{world.assistant.id}/golden-questions"
    made = post(api, path, {"question": "Free shipping?", "facts": [["99 yuan", "99元"]]})
    assert made.status_code == 201
    url = f"/api/v1/golden-questions/{made.json()['id']}"
    changed = api.patch(url, {"is_enabled": False}, content_type="application/json").json()
    assert (changed["is_enabled"], changed["facts"]) == (False, [["99 yuan", "99元"]])
    assert len(api.get(f"/api/v1{path}").json()["items"]) == 2
    assert api.delete(url).status_code == 204
    again = post(api, path, {"question": "坏果多久内联系"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "golden_exists")


def test_one_question_is_asked_of_two_sides(world, api):
    path = f"/assistants/{world.assistant.id}/evaluations"
    body = {
        "candidate": {"settings": {"threshold": 1.0}},
        "base": {"version": 1},
        "question": "坏果多久内联系？",
    }
    run = post(api, path, body)
    assert run.status_code == 202
    work()
    rows = api.get(f"/api/v1/evaluations/{run.json()['id']}/results").json()["items"]
    assert [(row["side"], row["rung"]) for row in rows] == [
        ("candidate", "human"), ("base", "quoted"),
    ]  # fmt: skip
    assert [row["is_passed"] for row in rows] == [None, None]
    unknown = post(api, path, {"candidate": {"version": 99}})
    assert unknown.status_code == 404


def test_evaluation_is_cancelled_but_a_publication_is_withdrawn(world, api):
    run = post(api, f"/assistants/{world.assistant.id}/evaluations", {}).json()
    assert api.delete(f"/api/v1/evaluations/{run['id']}").status_code == 204
    assert api.get(f"/api/v1/evaluations/{run['id']}").json()["state"] == "cancelled"
    refused = api.delete(f"/api/v1/evaluations/{world.evaluation.id}")
    assert refused.json()["error"]["code"] == "publication_waits"
    assert api.delete(f"/api/v1/publication-checks/{world.check.id}").status_code == 204
    assert api.get(f"/api/v1/evaluations/{world.evaluation.id}").json()["state"] == "cancelled"


def test_list_of_evaluations_counts_progress(world, api):
    rows = api.get(f"/api/v1/assistants/{world.assistant.id}/evaluations").json()["items"]
    assert [(row["kind"], row["progress"]["total"]) for row in rows] == [("publish", 2)]


def test_key_that_only_reads_starts_nothing(world, cast):
    from furrow.core.context import tenant_tx  # noqa: PLC0415

    with tenant_tx(cast.tenant.id):
        _, secret = api_key_create(actor=SYSTEM, name="reader", scopes=["assistants:read"])
    reader = Client(headers={"Authorization": f"Bearer {secret}"})
    for path in ("evaluations", "golden-questions", "publications"):
        answer = post(reader, f"/assistants/{world.assistant.id}/{path}", {"question": "x"})
        assert answer.json()["error"]["code"] in {"scope_missing", "invalid"}
        assert answer.status_code != 201
