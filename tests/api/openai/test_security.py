"""What peers were broken by, tried on `/v1`: each refused alike, and no model asked."""

import json
import time
from decimal import Decimal
from typing import Any

import httpx
import openai
import pytest

from furrow.core.context import tenant_tx
from furrow.core.errors import Invalid
from furrow.gateway.isolation import cache_salt
from furrow.metering.budgets import budget_set
from furrow.metering.models import Hold
from furrow.tenants.models import ApiKey, Tenant
from furrow.tenants.services import SYSTEM, api_key_create, api_key_revoke
from tests.api.openai.conftest import Live, key_of
from tests.fixtures_chat import ChatServer

CHAT = {"model": "fake-chat", "messages": [{"role": "user", "content": "Hello?"}]}


def ask(live: Live, body: Any = None, **headers: str) -> httpx.Response:
    return live.http().post(
        "/chat/completions", json=CHAT if body is None else body, headers=headers
    )


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer x", "Bearer fr_key_' OR 1=1 --", "Basic Zm9v", "Bearer fr_wid_abc"],
)
def test_v8_whatever_is_wrong_with_a_key_is_refused_alike(
    live: Live, chat_server: ChatServer, authorization: str
) -> None:
    answer = ask(live, Authorization=authorization)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert chat_server.requests == []


def test_v11_only_one_header_carries_a_key(live: Live, chat_server: ChatServer) -> None:
    weak = key_of(live.tenant, "knowledge:read")
    for name in ("X-Api-Key", "Api-Key", "Cookie"):
        alone = ask(live, Authorization="", **{name: live.secret})
        beside = ask(live, Authorization=f"Bearer {weak}", **{name: live.secret})
        assert (alone.status_code, beside.status_code) == (401, 403)
    assert live.http().post(f"/chat/completions?api_key={live.secret}", json=CHAT).is_success
    assert chat_server.requests[0]["body"]["messages"] == CHAT["messages"]


@pytest.mark.parametrize("scope", ["*", "/*", "/v1/*", "models:*", "admin"])
def test_v7_no_key_gets_a_scope_that_is_none(live: Live, scope: str) -> None:
    with tenant_tx(live.tenant.id), pytest.raises(Invalid):
        api_key_create(actor=SYSTEM, name="wide", scopes=["models:use", scope])


def test_v7_a_key_without_the_scope_asks_no_model(live: Live, chat_server: ChatServer) -> None:
    with pytest.raises(openai.PermissionDeniedError) as caught:
        live.client(key_of(live.tenant, "usage:read")).chat.completions.create(**CHAT)  # type: ignore[call-overload]
    assert caught.value.code == "scope_missing"
    assert chat_server.requests == []


def test_v12_a_known_key_stops_with_the_next_call(live: Live, chat_server: ChatServer) -> None:
    assert ask(live).is_success
    with tenant_tx(live.tenant.id):
        api_key_revoke(actor=SYSTEM, key_id=ApiKey.objects.get(prefix=live.secret[:12]).id)
    assert ask(live).status_code == 401
    again = key_of(live.tenant, "models:use")
    assert ask(live, Authorization=f"Bearer {again}").is_success
    Tenant.objects.using("owner").filter(id=live.tenant.id).update(is_suspended=True)
    assert ask(live, Authorization=f"Bearer {again}").status_code == 401
    assert len(chat_server.requests) == 2


def test_v17_routing_fields_reach_nobody(live: Live, chat_server: ChatServer) -> None:
    planted = {
        "api_base": "http://127.0.0.1:9/v1",
        "base_url": "http://127.0.0.1:9/v1",
        "api_key": "stolen",
        "cache_salt": "mine",
        "priority": "batch",
        "X-Tenant": "other",
        "user": "other",
        "extra_body": {"cache_salt": "mine"},
        "return_token_ids": True,
    }
    assert ask(live, CHAT | planted, **{"X-Tenant": "other", "X-Request-Id": "mine"}).is_success
    (sent,) = chat_server.requests
    known = {"model", "messages", "stream", "stream_options", "max_tokens", "priority"}
    assert set(sent["body"]) == known | {"cache_salt"}
    assert sent["body"]["cache_salt"] == cache_salt(live.tenant.id)
    assert sent["body"]["priority"] == "interactive"
    assert sent["headers"]["x-tenant"] not in {"other", ""}
    assert sent["headers"]["x-request-id"] != "mine"
    assert "stolen" not in json.dumps(sent)


@pytest.mark.parametrize("path", ["chat/completions", "embeddings"])
def test_v29_a_get_asks_no_model(live: Live, chat_server: ChatServer, path: str) -> None:
    answer = live.http().get(f"/{path}", params={"q": "Hello?", "model": "fake-chat"})
    assert answer.status_code == 405
    assert chat_server.requests == []


@pytest.mark.parametrize(
    "excess",
    [
        {"n": 10**6},
        {"max_tokens": 10**12},
        {"max_tokens": 0},
        {"stop": ["x"] * 1000},
        {"stop": "x" * 10_000},
        {"top_logprobs": 10**6},
        {"logit_bias": {str(n): 1 for n in range(5000)}},
        {"tools": [{}] * 1000},
        {"messages": []},
        {"messages": [{"role": "user", "content": "x"}] * 5000},
        {"messages": [{"role": "root", "content": "x"}]},
        {"temperature": "hot"},
        {"model": "x" * 10_000},
    ],
)
def test_v42_what_is_too_much_is_refused_first(
    live: Live, chat_server: ChatServer, excess: dict[str, Any]
) -> None:
    answer = ask(live, CHAT | excess)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"].split(".")[0] in excess
    assert chat_server.requests == []
    with tenant_tx(live.tenant.id):
        assert not Hold.objects.exists()


def test_v42_a_large_body_is_refused_before_it_is_read(live: Live) -> None:
    begun = time.monotonic()
    answer = live.http().post("/chat/completions", content=b"x" * (5 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"

    def pieces() -> Any:
        for _ in range(100):
            yield b" " * 100_000

    assert live.http().post("/chat/completions", content=pieces()).status_code == 413
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(live: Live, content: bytes) -> None:
    answer = live.http().post("/chat/completions", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_v9_only_hosts_of_ours_are_served(live: Live) -> None:
    assert ask(live, Host="evil.example").status_code == 400
    for path in ("//v1/chat/completions", "/v1/../v1/chat/completions", "/V1/chat/completions"):
        raw = httpx.post(live.url + path, json=CHAT)
        assert raw.status_code in {401, 403, 404}


def test_a_used_up_budget_asks_no_model(live: Live, chat_server: ChatServer) -> None:
    with tenant_tx(live.tenant.id):
        budget_set(actor=SYSTEM, scope_kind="tenant", cap_hard=Decimal(0))
    for is_stream in (False, True):
        answer = ask(live, CHAT | {"stream": is_stream})
        assert answer.status_code == 402
        assert answer.json()["error"]["code"] == "budget_exceeded"
        assert answer.json()["error"]["type"] == "insufficient_quota"
    assert chat_server.requests == []


def test_a_key_has_its_own_budget_and_rate(
    live: Live, chat_server: ChatServer, settings: Any
) -> None:
    first, second = (key_of(live.tenant, "models:use") for _ in range(2))
    with tenant_tx(live.tenant.id):
        key_id = ApiKey.objects.get(prefix=first[:12]).id
        budget_set(actor=SYSTEM, scope_kind="key", scope_id=str(key_id), cap_hard=Decimal(0))
    assert ask(live, Authorization=f"Bearer {first}").status_code == 402
    settings.API_CALLS_PER_MINUTE = 3
    codes = [ask(live, Authorization=f"Bearer {second}").status_code for _ in range(5)]
    assert sorted(codes) == [200, 200, 200, 429, 429]
    limited = ask(live, Authorization=f"Bearer {second}")
    assert limited.headers["retry-after"] == "60"
    assert limited.json()["error"]["type"] == "rate_limit_error"
    assert ask(live).is_success


def test_a_process_that_is_full_says_come_back(
    live: Live, chat_server: ChatServer, settings: Any
) -> None:
    settings.API_STREAMS_MAX = 0
    answer = ask(live)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["error"]["code"] == "overloaded"
    assert chat_server.requests == []
