"""The Model Context Protocol through the official client over real HTTP."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from furrow.core.context import tenant_tx
from furrow.metering.models import UsageEvent
from tests.api.openai.conftest import Live, key_of
from tests.api.openai.test_assistants import QUESTION, helper, helper_of

if TYPE_CHECKING:
    from mcp import ClientSession

__all__ = ["helper"]


def session(live: Live, secret: str, work: "Callable[[ClientSession], Awaitable[Any]]") -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Here, as they take a second that every collection would pay.
        import httpx2  # noqa: PLC0415
        from mcp import ClientSession  # noqa: PLC0415
        from mcp.client.streamable_http import streamable_http_client  # noqa: PLC0415

    async def run() -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=20) as http,
            streamable_http_client(f"{live.url}/v1/mcp", http_client=http) as streams,
            ClientSession(streams[0], streams[1]) as client,
        ):
            await client.initialize()
            return await work(client)

    return asyncio.run(run())


def call(live: Live, secret: str, tool: str, **arguments: Any) -> Any:
    return session(live, secret, lambda client: client.call_tool(tool, arguments))


def tools(live: Live, secret: str) -> list[str]:
    listed = session(live, secret, lambda client: client.list_tools())
    return [tool.name for tool in listed.tools]


def rpc(live: Live, secret: str, message: Any, **headers: str) -> Any:
    return live.http(secret).post("/mcp", json=message, headers=headers)


def test_a_key_sees_its_own_tools(live: Live, helper: Any) -> None:
    theirs = helper_of(live.other_tenant)
    assert tools(live, live.secret) == ["search", f"ask_{helper.id.hex}"]
    assert tools(live, live.other_secret) == ["search", f"ask_{theirs.id.hex}"]
    assert tools(live, key_of(live.tenant, "knowledge:read")) == ["search"]
    assert tools(live, key_of(live.tenant, "usage:read")) == []


def test_search_finds_own_passages_and_is_paid(live: Live, helper: Any) -> None:
    found = call(live, live.secret, "search", query="ship free Tibet")
    assert not found.is_error
    assert "Orders over 99 yuan ship free" in found.content[0].text
    with tenant_tx(live.tenant.id):
        event = UsageEvent.objects.filter(channel="mcp").first()
        assert (event.kind, bool(event.api_key_id)) == ("embedding", True)
    stranger = call(live, live.other_secret, "search", query="ship free Tibet")
    assert stranger.content[0].text == "Nothing was found."


def test_an_assistant_answers_with_citations(live: Live, helper: Any) -> None:
    answer = call(live, live.secret, f"ask_{helper.id.hex}", question=QUESTION)
    assert "Orders over 99 yuan ship free" in answer.structured_content["answer"]
    assert answer.structured_content["citations"][0]["title"] == "Shipping"
    named = answer.structured_content["conversation_id"]
    again = call(
        live, live.secret, f"ask_{helper.id.hex}", question="Tibet?", conversation_id=named
    )
    assert again.structured_content["conversation_id"] == named


def test_a_strangers_tool_does_not_exist(live: Live, helper: Any) -> None:
    answer = call(live, live.other_secret, f"ask_{helper.id.hex}", question=QUESTION)
    absent = call(live, live.other_secret, f"ask_{'0' * 32}", question=QUESTION)
    assert answer.is_error
    assert absent.is_error
    assert answer.content[0].text.replace(helper.id.hex, "") == absent.content[0].text.replace(
        "0" * 32, ""
    )


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"jsonrpc": "2.0", "id": 1, "method": "resources/list"}, -32601),
        ({"jsonrpc": "1.0", "id": 1, "method": "ping"}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "rm"}}, -32602),
    ],
)
def test_what_is_not_known_is_said(live: Live, message: Any, code: int) -> None:
    answer = rpc(live, live.secret, message)
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == code


def test_only_a_good_key_from_no_other_site_gets_in(live: Live) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert rpc(live, live.secret, ping).json() == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert rpc(live, "fr_key_nothing", ping).status_code == 401
    assert rpc(live, live.secret, ping, Origin="https://evil.example").status_code == 403
    assert live.http().get("/mcp").status_code == 405
    notice = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert rpc(live, live.secret, notice).status_code == 202
