"""From a configuration to loaded models, on the worker thread."""

import torch

from inference.config import ServeConfig
from inference.pooling.encoder import encoder_load
from inference.pooling.folder import ModelFolder, UnsupportedModel, model_locate
from inference.server.memory import folder_bytes
from inference.server.pooled import LoadedEncoder
from inference.server.service import LoadedModels


def models_load(config: ServeConfig) -> LoadedModels:
    """Everything the configuration names; raises ModelRefused or StartRefused."""
    torch.set_grad_enabled(False)
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UnsupportedModel("--device cuda: torch finds no CUDA device on this machine.")
    embedder = model_locate(config.embedding_model) if config.embedding_model else None
    reranker = model_locate(config.rerank_model) if config.rerank_model else None
    if config.chat is None:
        return _pooled_load(config, embedder, reranker)
    # Imported here: with transformers it takes seconds that an embedding server need not pay.
    from inference.server.chat_loading import chat_load, chat_plan  # noqa: PLC0415

    # Planned before anything is loaded, so that what does not fit is refused in a second.
    pooled_bytes = sum(folder_bytes(one.weight_files) for one in (embedder, reranker) if one)
    planned = chat_plan(config.chat, device=config.device, pooled_bytes=pooled_bytes)
    pooled = _pooled_load(config, embedder, reranker)
    chat = chat_load(config.chat, planned, device=config.device, threads=config.threads)
    return LoadedModels(chat=chat, embedder=pooled.embedder, reranker=pooled.reranker)


def _pooled_load(
    config: ServeConfig, embedder: ModelFolder | None, reranker: ModelFolder | None
) -> LoadedModels:
    device, dtype = config.device, config.dtype
    loaded: LoadedEncoder | None = None
    scorer: LoadedEncoder | None = None
    if embedder is not None:
        loaded = encoder_load(embedder, device=device, dtype=dtype, threads=config.threads)
    if reranker is not None:
        # Imported here: most servers have no reranker.
        from inference.pooling.reranker import reranker_load  # noqa: PLC0415

        scorer = reranker_load(reranker, device=device, dtype=dtype)
    return LoadedModels(embedder=loaded, reranker=scorer)
