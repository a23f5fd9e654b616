"""The REST contract, as an integrator meets it."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from tests.api.conftest import POLICY, post, run_all_jobs, upload
from tests.channels.test_edge import out_of_time


def test_document_goes_from_upload_to_search(api, cast):
    base = post(api, "/knowledge-bases", {"name": "KB"}).json()
    added = upload(
        api, f"/knowledge-bases/{base['id']}/documents", "policy.md", POLICY.encode(), title="政策"
    )
    assert added.status_code == 202
    assert added.json()["status"] == "queued"
    run_all_jobs("ingest")
    read = api.get(f"/api/v1/documents/{added.json()['id']}").json()
    assert read["status"] == "ready", read
    assert read["error"] is None
    found = post(api, f"/knowledge-bases/{base['id']}/search", {"query": "坏果 24 小时"}).json()
    top = found["results"][0]
    assert "24 小时内拍照" in top["text"]
    assert top["document_id"] == read["id"]
    assert set(top["scores"]) == {"lexical", "vector"}
    assert top["end"] - top["start"] == len(top["text"])


def test_text_document_keeps_its_external_id(api, world):
    found = post(api, f"/knowledge-bases/{world.base.id}/search", {"query": "Tibet shipping"})
    assert found.json()["results"][0]["external_id"] == "policy"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"title": "neither"}, "invalid"),
        ({"title": "both", "text": "x", "url": "https://example.com"}, "invalid"),
        ({"title": "x", "text": "x", "colour": "red"}, "invalid"),
        ({"title": "x", "url": "http://127.0.0.1/"}, "address_refused"),
    ],
)
def test_bad_document_gets_a_named_error(api, world, body, code):
    answer = post(api, f"/knowledge-bases/{world.base.id}/documents", body)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == code


def test_busy_database_asks_to_come_again(api, monkeypatch):
    monkeypatch.setattr("furrow.knowledge.services.bases.KnowledgeBase.save", out_of_time)
    answer = post(api, "/knowledge-bases", {"name": "KB"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "busy")
    assert int(answer["Retry-After"]) > 1


def test_message_answers_as_json_with_citation(api, world):
    answer = api.get(f"/api/v1/turns/{world.turn.id}").json()
    assert answer["rung"] == "quoted", answer
    citation = answer["citations"][0]
    assert "24 小时内" in citation["quote"]
    assert citation["document_id"] == str(world.document.id)
    assert set(answer["usage"]) == {"input_hit", "input_miss", "output", "reasoning"}
    assert set(answer["cost"]) == {"amount", "currency"}


def test_approved_answer_is_given_word_for_word(api, world):
    path = f"/conversations/{world.conversation.id}/messages"
    turn = _ask_in_background(api, path, {"text": "你们周末营业吗"})
    assert (turn["rung"], turn["text"]) == ("approved", "周末照常营业。")


def _ask_in_background(api: Any, path: str, body: dict[str, str]) -> dict[str, Any]:
    """Posts, lets a worker answer, and reads what the row says."""
    from furrow.conversations import services  # noqa: PLC0415  patched for one call

    waiting = services.wait_for_turn
    services.wait_for_turn = lambda turn, timeout_s: (
        run_all_jobs("chat"),
        waiting(turn, timeout_s=5),
    )[1]
    try:
        return post(api, path, body).json()
    finally:
        services.wait_for_turn = waiting


def test_errors_have_one_shape(api, world):
    answer = api.get("/api/v1/documents/00000000-0000-4000-8000-000000000000")
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    assert error["request_id"] == answer.headers["X-Request-Id"]


def test_unknown_path_under_the_api_is_json(api):
    answer = api.get("/api/v1/nothing-here")
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "value",
    ["", "Bearer ", "Bearer fr_key_wrong", "Bearer ' OR 1=1 --", "Basic abc", "Bearer fr_widget_x"],
)
def test_bad_credentials_are_refused_alike(client, cast, value):
    answer = client.get("/api/v1/knowledge-bases", headers={"Authorization": value})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "not_signed_in"


def test_revoked_key_stops_at_once(api, cast):
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.tenants.models import ApiKey  # noqa: PLC0415
    from furrow.tenants.services import SYSTEM, api_key_revoke  # noqa: PLC0415

    assert api.get("/api/v1/knowledge-bases").status_code == 200
    with tenant_tx(cast.tenant.id):
        api_key_revoke(actor=SYSTEM, key_id=ApiKey.objects.get().id)
    assert api.get("/api/v1/knowledge-bases").status_code == 401


def test_missing_scope_is_refused(cast):
    from django.test import Client  # noqa: PLC0415

    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.tenants.services import SYSTEM, api_key_create  # noqa: PLC0415

    with tenant_tx(cast.tenant.id):
        _, secret = api_key_create(actor=SYSTEM, name="reader", scopes=["knowledge:read"])
    reader = Client(headers={"Authorization": f"Bearer {secret}"})
    assert reader.get("/api/v1/knowledge-bases").status_code == 200
    refused = post(reader, "/knowledge-bases", {"name": "x"})
    assert refused.status_code == 403
    assert refused.json()["error"]["details"] == {"scope": "knowledge:write"}


def test_pages_follow_each_other_without_loss(api):
    names = [f"base {i}" for i in range(5)]
    for name in names:
        post(api, "/knowledge-bases", {"name": name})
    seen, cursor = [], ""
    while True:
        page = api.get(f"/api/v1/knowledge-bases?limit=2&cursor={cursor}").json()
        seen += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names[::-1]


def test_bad_cursor_is_a_clear_error(api):
    assert api.get("/api/v1/knowledge-bases?cursor=%F0%9F%98%80").status_code == 422


def test_openapi_describes_every_operation(api):
    schema = api.get("/api/v1/openapi.json").json()
    assert "/api/v1/knowledge-bases/{base_id}/search" in schema["paths"]
    summaries = [op.get("summary") for ops in schema["paths"].values() for op in ops.values()]
    assert all(summaries)


def test_stream_ends_with_answer_and_done(api, world):
    frames = async_to_sync(_stream)(api, f"/api/v1/turns/{world.turn.id}/events")
    events = [
        line.removeprefix("event: ") for line in frames.splitlines() if line.startswith("event: ")
    ]
    assert events[-2:] == ["answer", "done"]
    data = [
        line.removeprefix("data: ") for line in frames.splitlines() if line.startswith("data: ")
    ]
    deltas = [json.loads(d)["text"] for e, d in zip(events, data, strict=True) if e == "delta"]
    answer = json.loads(data[-2])
    assert "".join(deltas) == answer["text"]


async def _stream(api: Any, path: str) -> str:
    headers = {"Authorization": api.defaults["HTTP_AUTHORIZATION"]}
    response = await AsyncClient().get(path, headers=headers)
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"].startswith("text/event-stream")
    pieces = [piece async for piece in response.streaming_content]
    return b"".join(pieces).decode()


def test_docs_page_lists_the_calls(client, db):
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert "/api/v1/knowledge-bases/{base_id}/search" in page.content.decode()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/api/v1/no-such-thing", 404, "not_found"),
        ("post", "/api/v1/conversations", 405, "method_not_allowed"),
    ],
)
def test_wrong_address_or_method_is_told_in_json_whatever_is_accepted(
    client, method, path, status, code
):
    response = getattr(client, method)(path, headers={"Accept": "*/*"})
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json()["error"]["code"] == code
    assert status == 404 or "GET" in response["Allow"]
