"""`POST /v1/mcp`: the tenant's search and assistants as tools of the Model Context Protocol (streamable HTTP).

Stateless JSON-RPC in the two dozen lines that tools need: the official server brings sessions, a task group and a
second routing of its own, and would check keys somewhere else than every other door does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from pydantic import Field

from furrow.api import render
from furrow.api.openai.assistants import assistant_answer
from furrow.api.openai.auth import Caller
from furrow.api.openai.http import Request
from furrow.api.openai.models import published_assistants
from furrow.api.openai.schemas import Loose, ShortText, parsed
from furrow.core.context import release_connection, tenant_context, tenant_tx
from furrow.core.errors import AppError, Refused
from furrow.core.threads import in_thread
from furrow.knowledge.search import search
from furrow.knowledge.selectors import knowledge_bases_list
from furrow.metering.attribution import attributed

# The newest first; a client that asks for another is told the newest.
VERSIONS = ("2025-11-25", "2025-06-18", "2025-03-26")
PARSE_ERROR, INVALID, NO_METHOD, BAD_PARAMS = -32700, -32600, -32601, -32602
ASK = "ask_"
_SEARCH_SCOPE, _ASK_SCOPE = "knowledge:read", "conversations:write"


class Unusable(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class SearchIn(Loose):
    query: ShortText = Field(description="What to look for, in Chinese or English.")
    limit: int = Field(default=5, ge=1, le=20, description="How many passages at most.")


class QuestionIn(Loose):
    question: str = Field(min_length=1, max_length=2000, description="The customer's question.")
    conversation_id: ShortText | None = Field(
        default=None, description="From an earlier answer, to go on with that conversation."
    )


async def mcp_handle(request: Request, caller: Caller) -> None:
    _origin_check(request)
    message = request.json()
    if "id" not in message:
        # A notification: nothing is answered.
        await in_thread(caller.check)
        await request.answer(202, None)
        return
    try:
        answered: dict[str, Any] = {"result": await _call(caller, message)}
    except Unusable as error:
        answered = {"error": {"code": error.code, "message": str(error)}}
    await request.answer(200, {"jsonrpc": "2.0", "id": message["id"], **answered})


def _origin_check(request: Request) -> None:
    """A page of another site must not reach this through a browser that sits inside."""
    origin = request.headers.get("origin")
    if origin is not None and origin != settings.PUBLIC_URL:
        raise Refused("This origin may not call here.", code="origin_refused")


async def _call(caller: Caller, message: dict[str, Any]) -> dict[str, Any]:
    method, params = message.get("method"), message.get("params") or {}
    if message.get("jsonrpc") != "2.0" or not isinstance(params, dict):
        raise Unusable(INVALID, "This is not a JSON-RPC 2.0 request.")
    known = METHODS.get(str(method))
    scopes = await in_thread(caller.check)
    if known is None:
        raise Unusable(NO_METHOD, "This method is not known.")
    return await known(caller, scopes, params)


async def _initialize(caller: Caller, scopes: list[str], params: dict[str, Any]) -> dict[str, Any]:
    wanted = params.get("protocolVersion")
    return {
        "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": "furrow", "title": "Furrow", "version": "1"},
        "instructions": "Answers and passages come from this business's own documents, with citations.",
    }


async def _ping(caller: Caller, scopes: list[str], params: dict[str, Any]) -> dict[str, Any]:
    return {}


async def _tools_list(caller: Caller, scopes: list[str], params: dict[str, Any]) -> dict[str, Any]:
    """What the key may do."""
    tools = []
    if _SEARCH_SCOPE in scopes:
        tools.append(
            _tool("search", "Search", "Finds passages in the documents of this business.", SearchIn)
        )
    if _ASK_SCOPE in scopes:
        for row in await in_thread(published_assistants, caller.tenant_id):
            description = f"Asks the assistant “{row.name}”, which answers with citations."
            tools.append(_tool(f"{ASK}{row.id.hex}", row.name, description, QuestionIn))
    return {"tools": tools}


def _tool(name: str, title: str, description: str, shape: type[Loose]) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": shape.model_json_schema(),
        "annotations": {"readOnlyHint": name == "search", "openWorldHint": False},
    }


async def _tools_call(caller: Caller, scopes: list[str], params: dict[str, Any]) -> dict[str, Any]:
    """What goes wrong inside a tool is its result, so that the model that called it can read why."""
    name, arguments = str(params.get("name")), params.get("arguments") or {}
    try:
        if name == "search":
            found = await _search(caller, scopes, parsed(SearchIn, arguments))
        elif name.startswith(ASK):
            found = await _ask(caller, scopes, name, parsed(QuestionIn, arguments))
        else:
            raise Unusable(BAD_PARAMS, "This tool does not exist.")
    except AppError as error:
        return {"content": [{"type": "text", "text": str(error.message)}], "isError": True}
    text, structured = found
    content = [{"type": "text", "text": text}]
    return {"content": content, "structuredContent": structured, "isError": False}


async def _search(caller: Caller, scopes: list[str], asked: SearchIn) -> tuple[str, dict[str, Any]]:
    _require(scopes, _SEARCH_SCOPE)
    with (
        tenant_context(caller.tenant_id),
        attributed(api_key_id=caller.key_id, channel="mcp"),
    ):
        # It asks the model server for a vector, so it must not take one of the database's threads.
        hits = await asyncio.to_thread(_search_now, caller.tenant_id, asked)
    lines = [f"[{n}] {hit['title']}\n{hit['text']}" for n, hit in enumerate(hits, 1)]
    return "\n\n".join(lines) or "Nothing was found.", {"results": hits}


def _search_now(tenant_id: UUID, asked: SearchIn) -> list[dict[str, Any]]:
    try:
        with tenant_tx(tenant_id):
            base_ids = [base.id for base in knowledge_bases_list()]
        if not base_ids:
            return []
        found = search(knowledge_base_ids=base_ids, query=asked.query, limit=asked.limit)
        return [render.hit(hit) for hit in found.hits]
    finally:
        release_connection()


async def _ask(
    caller: Caller, scopes: list[str], name: str, asked: QuestionIn
) -> tuple[str, dict[str, Any]]:
    _require(scopes, _ASK_SCOPE)
    answer = await assistant_answer(
        caller, name.removeprefix(ASK), asked.question, asked.conversation_id
    )
    message = answer["choices"][0]["message"]
    sources = [f"[{c['n']}] {c['title']}: {c['quote']}" for c in message["citations"]]
    text = "\n\n".join([message["content"], *sources])
    return text, {
        "answer": message["content"],
        "citations": message["citations"],
        **answer["furrow"],
    }


def _require(scopes: list[str], scope: str) -> None:
    if scope not in scopes:
        raise Refused("This key may not do that.", code="scope_missing", param=scope)


Method = Callable[[Caller, list[str], dict[str, Any]], Awaitable[dict[str, Any]]]
METHODS: dict[str, Method] = {
    "initialize": _initialize,
    "ping": _ping,
    "tools/list": _tools_list,
    "tools/call": _tools_call,
}
