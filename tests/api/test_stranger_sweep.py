"""Every API operation, called by another tenant with this tenant's ids. A new operation without a case fails."""

import hashlib
import json
import uuid

import pytest
from django.apps import apps
from django.db import connection

from furrow.api.root import api as ninja_api
from furrow.core import security
from furrow.core.context import tenant_tx
from tests.api.conftest import World

BODIES = {
    "post /api/v1/knowledge-bases/{base_id}/documents": {"title": "x", "text": "x"},
    "post /api/v1/knowledge-bases/{base_id}/search": {"query": "坏果"},
    "post /api/v1/knowledge-bases/{base_id}/findings": {
        "finding_ids": [str(uuid.uuid4())],
        "state": "kept",
    },
    "post /api/v1/chunks/{chunk_id}/known-questions": {"text": "x"},
    "patch /api/v1/knowledge-bases/{base_id}": {"name": "stolen"},
    "patch /api/v1/documents/{document_id}": {"title": "stolen"},
    "patch /api/v1/assistants/{assistant_id}": {"name": "stolen"},
    "post /api/v1/assistants/{assistant_id}/publications": {"note": "x"},
    "post /api/v1/assistants/{assistant_id}/approved-answers": {"question": "x", "answer": "x"},
    "post /api/v1/assistants/{assistant_id}/conversations": {},
    "post /api/v1/assistants/{assistant_id}/golden-questions": {"question": "x"},
    "post /api/v1/assistants/{assistant_id}/evaluations": {"question": "x"},
    "patch /api/v1/golden-questions/{golden_id}": {"note": "stolen"},
    "post /api/v1/conversations/{conversation_id}/messages": {"text": "坏果怎么赔"},
    "post /api/v1/conversations/{conversation_id}/tickets": {},
    "post /api/v1/conversations/{conversation_id}/replies": {
        "member": "stranger@example.test",
        "text": "x",
    },
    "put /api/v1/conversations/{conversation_id}/owner": {"member": "stranger@example.test"},
    "post /api/v1/conversations/{conversation_id}/closure": {},
    "put /api/v1/conversations/{conversation_id}/csat": {"score": 3},
    "patch /api/v1/webhooks/{webhook_id}": {"is_enabled": False},
    "post /api/v1/webhooks/{webhook_id}/tests": {},
    "post /api/v1/webhooks/{webhook_id}/secrets": {},
    "post /api/v1/webhooks/deliveries/{delivery_id}/resends": {},
    "post /api/v1/turns/{turn_id}/feedback": {"value": 1},
    "post /api/v1/channels/{channel_id}/messages": {"id": "m1", "user": "u", "text": "坏果怎么赔"},
}
# Operations without an id in their path: what they list or make must hold nothing of the other tenant.
WITHOUT_ID = {
    "get /api/v1/knowledge-bases": None,
    "post /api/v1/knowledge-bases": {"name": "mine"},
    "get /api/v1/synonyms": None,
    "post /api/v1/synonyms": {"words": ["one", "other"]},
    "get /api/v1/assistants": None,
    "post /api/v1/assistants": {"name": "mine"},
    "get /api/v1/conversations": None,
    "get /api/v1/tickets": None,
    "get /api/v1/inbox": None,
    "get /api/v1/canned-replies": None,
    "post /api/v1/canned-replies": {"title": "mine", "text_zh": "x"},
    "get /api/v1/opening-hours": None,
    "get /api/v1/reports/service": None,
    "get /api/v1/reports/service-cost": None,
    "put /api/v1/opening-hours": {
        "weekly": [["08:00", "18:00"], None, None, None, None, None, None]
    },
    "get /api/v1/usage": None,
    "get /api/v1/budgets": None,
    "put /api/v1/budgets": {"scope_kind": "tenant", "cap_hard": "5"},
    "get /api/v1/prices": None,
    "get /api/v1/models": None,
    "get /api/v1/invoices": None,
    "get /api/v1/channels": None,
    "post /api/v1/channels": {"name": "mine", "assistant_id": str(uuid.uuid4())},
    "get /api/v1/webhooks": None,
    "post /api/v1/webhooks": {"url": "https://mine.example/", "events": ["invoice.closed"]},
}


def operations() -> list[tuple[str, str]]:
    """Of the platform; a trade brings its own cases, so that it can be taken out."""
    paths = ninja_api.get_openapi_schema()["paths"]
    trades = tuple(f"/api/v1/{label}/" for label in trade_labels())
    return [
        (method, path)
        for path, methods in paths.items()
        if not f"{path}/".startswith(trades)
        for method in methods
    ]


def trade_labels() -> list[str]:
    return [config.label for config in apps.get_app_configs() if config.name.startswith("apps.")]


def ids(world: World) -> dict[str, str]:
    return {
        "base_id": str(world.base.id),
        "document_id": str(world.document.id),
        "synonyms_id": str(world.synonyms.id),
        "known_id": str(world.known.id),
        "chunk_id": str(world.known.chunk_id),
        "assistant_id": str(world.assistant.id),
        "answer_id": str(world.approved.id),
        "conversation_id": str(world.conversation.id),
        "turn_id": str(world.turn.id),
        "budget_id": str(world.budget.id),
        "invoice_id": str(world.invoice.id),
        "webhook_id": str(world.webhook.id),
        "channel_id": str(world.channel.id),
        "delivery_id": str(world.delivery.id),
        "golden_id": str(world.golden.id),
        "evaluation_id": str(world.evaluation.id),
        "check_id": str(world.check.id),
        "canned_id": str(world.canned.id),
    }


def fingerprint(tenant) -> str:
    """A digest of every row the tenant has, to see that nothing of it changed."""
    digest = hashlib.sha256()
    with tenant_tx(tenant.id), connection.cursor() as cursor:
        for table, column in security.scoped_tables():
            cursor.execute(
                f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM \"{table}\" t"
            )
            digest.update(f"{table}{column}{cursor.fetchone()}".encode())
    return digest.hexdigest()


def call(client, method: str, url: str, body):
    if method in {"get", "delete"}:
        return getattr(client, method)(url)
    return getattr(client, method)(
        url, data=json.dumps(body or {}), content_type="application/json"
    )


def test_every_operation_has_a_case():
    for method, path in operations():
        name = f"{method} {path}"
        needs_body = method in {"post", "patch", "put"} and "{" in path
        if "{" not in path:
            assert name in WITHOUT_ID, f"{name} lacks a stranger case"
        elif needs_body and not path.endswith("/retries"):
            assert name in BODIES, f"{name} lacks a stranger case"


def test_stranger_gets_what_a_random_id_gets(world, cast, stranger_api):
    before = fingerprint(cast.tenant)
    known = ids(world)
    random_ids = {name: str(uuid.uuid4()) for name in known}
    for method, path in operations():
        if "{" not in path:
            continue
        body = BODIES.get(f"{method} {path}")
        foreign = call(stranger_api, method, path.format(**known), body)
        absent = call(stranger_api, method, path.format(**random_ids), body)
        assert foreign.status_code == absent.status_code == 404, (
            f"{method} {path}: {foreign.content!r}"
        )
        assert foreign.json()["error"]["code"] == absent.json()["error"]["code"]
    assert fingerprint(cast.tenant) == before


@pytest.mark.parametrize("name", sorted(WITHOUT_ID))
def test_lists_show_the_stranger_nothing(world, cast, stranger_api, name):
    method, path = name.split(" ")
    answer = call(stranger_api, method, path, WITHOUT_ID[name])
    # The one list operation whose body must name an assistant; a foreign one has its own test.
    assert answer.status_code in ({404} if name == "post /api/v1/channels" else {200, 201})
    text = answer.content.decode()
    for value in [*ids(world).values(), "坏果", "Policies", "Helper"]:
        assert value not in text


def test_foreign_ids_inside_bodies_answer_like_random_ones(world, cast, stranger_api):
    path = "/api/v1/assistants"
    foreign, absent = (
        call(stranger_api, "post", path, {"name": "thief", "knowledge_base_ids": [str(value)]})
        for value in (world.base.id, uuid.uuid4())
    )
    assert foreign.status_code == absent.status_code == 422
    assert foreign.json()["error"]["message"] == absent.json()["error"]["message"]


def test_foreign_assistant_gets_no_channel(world, cast, stranger_api):
    foreign, absent = (
        call(stranger_api, "post", "/api/v1/channels", {"name": "x", "assistant_id": str(value)})
        for value in (world.assistant.id, uuid.uuid4())
    )
    assert foreign.status_code == absent.status_code == 404


def test_foreign_document_in_a_filter_finds_nothing(world, cast, stranger_api):
    mine = call(stranger_api, "post", "/api/v1/knowledge-bases", {"name": "mine"}).json()
    body = {"query": "坏果", "filters": {"document_ids": [str(world.document.id)]}}
    found = call(stranger_api, "post", f"/api/v1/knowledge-bases/{mine['id']}/search", body)
    assert found.json()["results"] == []
