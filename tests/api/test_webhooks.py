"""Webhooks over REST: addresses, secrets shown once, tests and what was sent."""

import pytest

from furrow.channels.models import WebhookDelivery, WebhookEndpoint
from furrow.channels.webhooks import secret_of
from furrow.core.context import tenant_tx
from furrow.tenants.services import SYSTEM, api_key_create
from tests.api.conftest import post

BODY = {"url": "https://shop.example.com/furrow", "events": ["budget.threshold"]}


@pytest.fixture
def made(api):
    return post(api, "/webhooks", BODY).json()


def test_secret_is_in_the_answer_that_made_it_only(api, cast, made):
    with tenant_tx(cast.tenant.id):
        assert made["secret"] == secret_of(WebhookEndpoint.objects.get())
    (listed,) = api.get("/api/v1/webhooks").json()["items"]
    assert "secret" not in listed
    assert "secret" not in api.get(f"/api/v1/webhooks/{made['id']}").json()
    renewed = post(api, f"/webhooks/{made['id']}/secrets", {}).json()
    assert renewed["secret"] != made["secret"]


def test_address_is_changed_and_removed(api, made):
    path = f"/api/v1/webhooks/{made['id']}"
    changed = api.patch(path, {"is_enabled": False}, content_type="application/json").json()
    assert (changed["is_enabled"], changed["url"]) == (False, BODY["url"])
    assert post(api, f"/webhooks/{made['id']}/tests", {}).status_code == 409
    assert api.delete(path).status_code == 204
    for status in (api.get(path).status_code, api.delete(path).status_code):
        assert status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://10.0.0.1/", "events": ["invoice.closed"]}, {**BODY, "events": []},
        {**BODY, "events": ["ping"]}, {**BODY, "secret": "mine"}, {"events": ["invoice.closed"]},
    ],
)  # fmt: skip
def test_impossible_addresses_are_refused(api, body):
    assert post(api, "/webhooks", body).status_code == 422


def test_what_was_sent_comes_in_pages(api, cast, made):
    for _ in range(3):
        assert post(api, f"/webhooks/{made['id']}/tests", {}).status_code == 202
    path = f"/api/v1/webhooks/{made['id']}/deliveries"
    first = api.get(f"{path}?limit=2").json()
    rest = api.get(f"{path}?limit=2&cursor={first['next_cursor']}").json()
    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [2, 1, None]
    with tenant_tx(cast.tenant.id):
        WebhookDelivery.objects.update(state="failed", error_code="refused", last_status=500)
    again = post(api, f"/webhooks/deliveries/{rest['items'][0]['id']}/resends", {})
    assert (again.status_code, again.json()["state"]) == (202, "waiting")


def test_key_needs_the_scope(cast, client):
    with tenant_tx(cast.tenant.id):
        _, secret = api_key_create(actor=SYSTEM, name="x", scopes=["webhooks:read"])
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/webhooks", headers=headers).status_code == 200
    refused = client.post(
        "/api/v1/webhooks", BODY, content_type="application/json", headers=headers
    )
    assert refused.status_code == 403
