"""POST /v1/rerank: score documents against a query with a cross-encoder."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inference.pooling.queue import Job
from inference.server.bodies import CLIENT_CLOSED_REQUEST, body_read
from inference.server.embeddings import headers_for, job_run, priority_of
from inference.server.pooled import job_usage
from inference.server.schemas import RerankRequest, rerank_request_parse
from inference.server.service import ModelService


async def rerank_create(request: Request) -> Response:
    service: ModelService = request.app.state.service
    limits = service.config.limits
    wanted = rerank_request_parse(await body_read(request, limits.max_body_bytes), limits)
    model, encoder = service.pooled_for(service.rerank, wanted.model)
    priority = priority_of(request, 1)
    pairs = [(wanted.query, document) for document in wanted.documents]
    tokens = await asyncio.to_thread(encoder.tokenizer.pairs, pairs)
    job = await job_run(request, model, tokens, priority)
    if job is None:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    answer = _answer(wanted, job, request.state.request_id)
    return JSONResponse(answer, headers=headers_for(tokens))


def _answer(wanted: RerankRequest, job: Job, request_id: str) -> dict[str, Any]:
    scores = [float(row[0]) for row in job.result.result()]
    # Equal scores keep the order of the request.
    best = sorted(range(len(scores)), key=lambda n: (-scores[n], n))[: wanted.top_n]
    results: list[dict[str, Any]] = []
    for n in best:
        result: dict[str, Any] = {"index": n, "relevance_score": scores[n]}
        if wanted.returns_documents:
            result["document"] = {"text": wanted.documents[n]}
        results.append(result)
    return {
        "id": f"rerank-{request_id}",
        "model": wanted.model,
        "results": results,
        "usage": job_usage(job).for_embeddings(),
    }
