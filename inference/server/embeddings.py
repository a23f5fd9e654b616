"""POST /v1/embeddings: check, tokenise, queue, answer."""

import asyncio
import base64
import json

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from inference.pooling.folder import ModelFolder
from inference.pooling.queue import BatchFailed, Job, Priority, Vector
from inference.pooling.tokens import TextTokenizer, Tokenised
from inference.server.bodies import (
    CLIENT_CLOSED_REQUEST,
    body_read,
    tenant_of,
    unless_disconnected,
)
from inference.server.errors import ApiError, InvalidRequest
from inference.server.middleware import request_note
from inference.server.pooled import PooledModel, job_usage
from inference.server.schemas import EmbeddingRequest, embedding_request_parse
from inference.server.service import ModelService


async def embeddings_create(request: Request) -> Response:
    service: ModelService = request.app.state.service
    limits = service.config.limits
    wanted = embedding_request_parse(await body_read(request, limits.max_body_bytes), limits)
    model, encoder = service.pooled_for(service.embedding, wanted.model)
    dimensions = _dimensions_for(wanted, encoder.folder)
    priority = priority_of(request, wanted.inputs)
    # Off the event loop: a full request takes tens of milliseconds.
    tokens = await asyncio.to_thread(_tokenise, encoder.tokenizer, wanted)
    job = await job_run(request, model, tokens, priority)
    if job is None:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    content = await asyncio.to_thread(_answer, wanted, job, dimensions, model.name)
    return Response(content, media_type="application/json", headers=headers_for(tokens))


async def job_run(
    request: Request, model: PooledModel, tokens: Tokenised, priority: Priority
) -> Job | None:
    """The finished work of one request; None when its client has gone."""
    service: ModelService = request.app.state.service
    tenant = tenant_of(request)
    request_note(request, inputs=len(tokens.ids), priority=str(priority))
    service.check_receipts()
    work = model.run(request.state.request_id, tokens.ids, priority, tenant)
    try:
        job = await unless_disconnected(request, work)
    except BatchFailed as error:
        raise ApiError("The model failed on this request.", code="batch_failed") from error
    if job is not None:
        request_note(request, tokens=job.tokens_done, busy_us=job.busy_us)
    return job


def headers_for(tokens: Tokenised) -> dict[str, str]:
    return {"X-Truncated-Inputs": str(tokens.truncated)} if tokens.truncated else {}


def _dimensions_for(wanted: EmbeddingRequest, folder: ModelFolder) -> int:
    if wanted.dimensions is None:
        return folder.dimensions[-1]
    if wanted.dimensions not in folder.dimensions:
        offered = ", ".join(map(str, folder.dimensions))
        raise InvalidRequest(
            f"This model's vectors cannot have that length, only: {offered}.", param="dimensions"
        )
    return wanted.dimensions


def priority_of(request: Request, inputs: int) -> Priority:
    asked = request.headers.get("X-Priority")
    if asked is None:
        return Priority.INTERACTIVE if inputs == 1 else Priority.BATCH
    try:
        return Priority(asked.strip().lower())
    except ValueError as error:
        raise InvalidRequest(
            "X-Priority must be 'interactive' or 'batch'.", param="X-Priority"
        ) from error


def _tokenise(tokenizer: TextTokenizer, wanted: EmbeddingRequest) -> Tokenised:
    if wanted.texts:
        return tokenizer.texts(wanted.texts)
    if any(not 0 <= n < tokenizer.vocabulary for ids in wanted.token_ids for n in ids):
        raise InvalidRequest(
            "'input' holds a token id that the model does not know.", param="input"
        )
    return tokenizer.given(wanted.token_ids)


def _answer(wanted: EmbeddingRequest, job: Job, dimensions: int, model: str) -> bytes:
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": _encoded(_shortened(row, dimensions), wanted.encoding_format),
        }
        for index, row in enumerate(job.result.result())
    ]
    answer = {
        "object": "list",
        "data": data,
        "model": model,
        "usage": job_usage(job).for_embeddings(),
    }
    return json.dumps(answer, separators=(",", ":")).encode()


def _shortened(row: Vector, dimensions: int) -> Vector:
    if dimensions == len(row):
        return row
    cut = row[:dimensions]
    return (cut / max(float(np.linalg.norm(cut)), 1e-12)).astype(np.float32)


def _encoded(row: Vector, encoding_format: str) -> str | list[float]:
    if encoding_format == "base64":
        return base64.b64encode(row.astype("<f4").tobytes()).decode()
    return [float(value) for value in row]
