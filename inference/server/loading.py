"""From a configuration to loaded models, on the worker thread."""

import torch
from torch.backends.cpu import get_cpu_capability as cpu_capability

from inference.config import ServeConfig, StartRefused
from inference.pooling.encoder import encoder_load
from inference.pooling.folder import ModelFolder, UnsupportedModel, model_locate
from inference.server.memory import folder_bytes
from inference.server.pooled import LoadedEncoder
from inference.server.service import LoadedModels

# What torch calls a processor that has no bfloat16 arithmetic, and widens every number by hand.
SLOW_BFLOAT16 = "AVX2"


def models_load(config: ServeConfig) -> LoadedModels:
    """Everything the configuration names; raises ModelRefused or StartRefused."""
    torch.set_grad_enabled(False)
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UnsupportedModel("--device cuda: torch finds no CUDA device on this machine.")
    dtypes = {config.dtype, config.chat.dtype if config.chat else None}
    if config.device == "cpu" and "bfloat16" in dtypes and SLOW_BFLOAT16 == cpu_capability():
        raise StartRefused(
            "--dtype bfloat16: this processor has no AVX-512 and would compute it many times "
            "slower than float32. Leave --dtype out."
        )
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
