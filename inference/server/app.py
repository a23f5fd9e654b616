"""The HTTP face of the server."""

import asyncio

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from inference.server.chat import chat_create, completions_create
from inference.server.embeddings import embeddings_create
from inference.server.errors import (
    ApiError,
    InvalidRequest,
    UnknownModel,
    api_error_response,
    http_error_response,
    unexpected_error_response,
)
from inference.server.middleware import KeyCheck, RequestRecord
from inference.server.openapi import openapi_build
from inference.server.rerank import rerank_create
from inference.server.service import LOADING_RETRY_S, ModelService

MAX_RECEIPTS = 1000
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def app_create(service: ModelService, keys: tuple[bytes, ...]) -> Starlette:
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", chat_create, methods=["POST"]),
            Route("/v1/completions", completions_create, methods=["POST"]),
            Route("/v1/embeddings", embeddings_create, methods=["POST"]),
            Route("/v1/rerank", rerank_create, methods=["POST"]),
            Route("/v1/models", models_list),
            Route("/v1/models/{name:path}", model_show),
            Route("/receipts", receipts_list),
            Route("/healthz", health_show),
            Route("/readyz", readiness_show),
            Route("/metrics", metrics_show),
            Route("/openapi.json", openapi_show),
        ],
        middleware=[
            Middleware(RequestRecord, metrics=service.metrics),
            Middleware(KeyCheck, keys=keys),
        ],
        exception_handlers={
            ApiError: api_error_response,
            HTTPException: http_error_response,
            Exception: unexpected_error_response,
        },
    )
    app.state.service = service
    return app


async def models_list(request: Request) -> Response:
    service: ModelService = request.app.state.service
    models = [_model(service, name) for name in service.model_names]
    return JSONResponse({"object": "list", "data": models})


async def model_show(request: Request) -> Response:
    service: ModelService = request.app.state.service
    name = request.path_params["name"]
    if name not in service.model_names:
        raise UnknownModel("The model is not served here.", param="model")
    return JSONResponse(_model(service, name))


def _model(service: ModelService, name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": service.created, "owned_by": "furrow"}


async def receipts_list(request: Request) -> Response:
    """Receipts above `after`; ask again from `next_after` while `has_more`."""
    service: ModelService = request.app.state.service
    after = _whole_number(request, "after", default=0, most=2**63 - 1)
    limit = _whole_number(request, "limit", default=MAX_RECEIPTS, most=MAX_RECEIPTS)
    found = await asyncio.to_thread(service.receipts.after, after, max(1, limit))
    next_after = found[-1]["seq"] if found else after
    return JSONResponse(
        {
            "boot_id": service.receipts.boot_id,
            "last_seq": service.receipts.last_seq,
            "receipts": found,
            "next_after": next_after,
            "has_more": bool(found) and next_after < service.receipts.last_seq,
        }
    )


async def health_show(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def readiness_show(request: Request) -> Response:
    service: ModelService = request.app.state.service
    if service.is_ready:
        return JSONResponse({"status": "ready", "models": service.model_names})
    return JSONResponse(
        {"status": str(service.state)},
        status_code=503,
        headers={"Retry-After": str(LOADING_RETRY_S)},
    )


async def openapi_show(_: Request) -> Response:
    return JSONResponse(openapi_build())


async def metrics_show(request: Request) -> Response:
    service: ModelService = request.app.state.service
    return PlainTextResponse(service.metrics.text(), media_type=METRICS_TYPE)


def _whole_number(request: Request, name: str, *, default: int, most: int) -> int:
    value = request.query_params.get(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or len(value) > 19 or int(value) > most:
        raise InvalidRequest(f"'{name}' must be a whole number up to {most}.", param=name)
    return int(value)
