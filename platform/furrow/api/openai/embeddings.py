"""`POST /v1/embeddings`, metered and counted by the model server."""

import asyncio
import base64
from typing import Any

import numpy as np

from furrow.api.openai.auth import Caller
from furrow.api.openai.http import Request
from furrow.api.openai.models import embedding_model_check
from furrow.api.openai.schemas import EmbeddingsIn, parsed
from furrow.core.context import release_connection, tenant_context
from furrow.core.threads import in_thread
from furrow.gateway.embeddings import embed_counted
from furrow.metering.attribution import attributed

SCOPE = "models:use"


async def embeddings_create(request: Request, caller: Caller) -> None:
    asked = parsed(EmbeddingsIn, request.json())
    embedding_model_check(asked.model)
    await in_thread(caller.check, SCOPE)
    with (
        tenant_context(caller.tenant_id),
        attributed(api_key_id=caller.key_id, channel="openai"),
    ):
        # It waits for the model server, so it must not take one of the database's threads.
        vectors, tokens = await asyncio.to_thread(_embed, asked.texts)
    rows = [
        {"object": "embedding", "index": n, "embedding": _vector(v, asked.encoding_format)}
        for n, v in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    await request.answer(
        200, {"object": "list", "data": rows, "model": asked.model, "usage": usage}
    )


def _embed(texts: list[str]) -> tuple[list[list[float]], int]:
    try:
        return embed_counted(texts, priority="interactive")
    finally:
        release_connection()


def _vector(vector: list[float], encoding: str | None) -> Any:
    if encoding != "base64":
        return vector
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
