"""The server's routes as an OpenAPI document, built from the same field lists that check them."""

from collections.abc import Iterable
from typing import Any

from inference.server.chat_schemas import CHAT_FIELDS, COMPLETION_FIELDS, NUMBERS
from inference.server.schemas import FIELDS, RERANK_FIELDS

Document = dict[str, Any]

TYPES: dict[str, Document] = {
    "model": {"type": "string"},
    "messages": {"type": "array", "items": {"type": "object"}, "minItems": 1},
    "prompt": {"description": "A text, a list of texts, token ids, or a list of those."},
    "input": {"description": "A text, a list of texts, token ids, or a list of those."},
    "query": {"type": "string"},
    "documents": {"type": "array", "minItems": 1},
    "top_k": {"type": "integer", "minimum": -1, "default": 0},
    "n": {"type": "integer", "minimum": 1, "default": 1},
    "max_tokens": {"type": "integer", "minimum": 1},
    "max_completion_tokens": {"type": "integer", "minimum": 1},
    "seed": {"type": "integer"},
    "stop": {"description": "A string or a list of strings."},
    "stream": {"type": "boolean", "default": False},
    "stream_options": {
        "type": "object",
        "properties": {"include_usage": {"type": "boolean", "default": False}},
    },
    "tools": {"type": "array", "items": {"type": "object"}},
    "response_format": {"type": "object"},
    "cache_salt": {
        "type": "string",
        "maxLength": 256,
        "description": "Prefixes are reused only under the same tenant and salt.",
    },
    "priority": {"enum": ["interactive", "standard", "batch"], "default": "standard"},
    "ignore_eos": {"type": "boolean", "default": False},
    "return_token_ids": {
        "type": "boolean",
        "default": False,
        "description": "Each choice then carries `token_ids`.",
    },
    "encoding_format": {"enum": ["float", "base64"], "default": "float"},
    "dimensions": {"type": "integer", "minimum": 1},
    "top_n": {"type": "integer", "minimum": 1},
    "return_documents": {"type": "boolean", "default": False},
}
TYPES |= {
    name: {"type": "number", "default": default, "minimum": least, "maximum": most}
    for name, (default, least, most) in NUMBERS.items()
}
HEADERS = [
    ("X-Request-Id", "Echoed, and the receipt's request_id; made when absent."),
    ("X-Tenant", "Tag for fair queueing, cache isolation and the receipt."),
]
REFUSALS = {
    "400": "The request is wrong; the error names the field",
    "401": "No valid API key",
    "404": "No such model",
    "413": "The body is too large",
    "429": "Too much of this tenant or kind waits; Retry-After says how long to wait",
    "503": "Loading, draining or overloaded; Retry-After says how long to wait",
}


def openapi_build() -> Document:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Furrow model server", "version": "1"},
        "paths": {
            "/v1/chat/completions": _post("Answer a conversation", CHAT_FIELDS, ["messages"]),
            "/v1/completions": _post("Continue prompts", COMPLETION_FIELDS, ["prompt"]),
            "/v1/embeddings": _post("Embed texts", FIELDS, ["input"]),
            "/v1/rerank": _post("Rank documents", RERANK_FIELDS, ["query", "documents"]),
            "/v1/models": _get("The models that are served"),
            "/v1/models/{name}": _get("One of them", path="name"),
            "/receipts": _get("Receipts with a number above `after`", ["after", "limit"]),
            "/healthz": _get("Whether the process lives"),
            "/readyz": _get("Whether requests are served"),
            "/metrics": _get("Counters and gauges in Prometheus' text format"),
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": _error_schema()},
        },
        "security": [{"key": []}],
    }


def _post(summary: str, fields: Iterable[str], required: list[str]) -> Document:
    schema = {
        "type": "object",
        "required": ["model", *required],
        "properties": {name: TYPES.get(name, {}) for name in sorted(fields)},
        "additionalProperties": False,
    }
    return {
        "post": {
            "summary": summary,
            "parameters": [
                {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
                for name, text in HEADERS
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schema}},
            },
            "responses": {"200": {"description": "Done"}} | _refusals(),
        }
    }


def _get(summary: str, numbers: Iterable[str] = (), path: str | None = None) -> Document:
    parameters: list[Document] = [
        {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}}
        for name in numbers
    ]
    if path is not None:
        place = {"name": path, "in": "path", "required": True, "schema": {"type": "string"}}
        parameters.append(place)
    return {
        "get": {
            "summary": summary,
            "parameters": parameters,
            "responses": {"200": {"description": "Done"}},
        }
    }


def _refusals() -> Document:
    schema = {"$ref": "#/components/schemas/Error"}
    content = {"application/json": {"schema": schema}}
    return {status: {"description": text, "content": content} for status, text in REFUSALS.items()}


def _error_schema() -> Document:
    text = {"type": ["string", "null"]}
    names = ("message", "type", "param", "code")
    error = {"type": "object", "properties": dict.fromkeys(names, text), "required": list(names)}
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}
