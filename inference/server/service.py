"""The state of one server: loading, ready, draining or failed, and the models it is made of."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from inference.config import ChatLimits, ServeConfig, StartRefused
from inference.pooling.folder import ModelRefused, model_name_for
from inference.server.chat_model import ChatModel, LoadedChat
from inference.server.errors import Unavailable, UnknownModel
from inference.server.metrics import Metrics
from inference.server.pooled import (
    DRAINING_RETRY_S,
    MAX_RETRY_S,
    LoadedEncoder,
    PooledModel,
)
from inference.server.receipts import ReceiptLog

log = logging.getLogger(__name__)

LOADING_RETRY_S = 5
# A turn without work waits for a wake-up at most so long.
IDLE_WAIT_S = 1.0


class State(StrEnum):
    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModels:
    """What was asked for, loaded; None is not served."""

    chat: LoadedChat | None = None
    embedder: LoadedEncoder | None = None
    reranker: LoadedEncoder | None = None


class ModelService:
    """Owns the worker thread, on which every model is loaded and runs: torch's thread count
    belongs to a thread, and one thread shares the device out fairly.

    The worker gives the chat model a step, then each pooled model a batch: while answers are
    generated, an embedding waits for one step and a stream for one batch.
    """

    def __init__(
        self, config: ServeConfig, receipts: ReceiptLog, load: Callable[[], LoadedModels]
    ) -> None:
        self.config = config
        self.receipts = receipts
        self.metrics = Metrics()
        self.created = int(time.time())
        self.state = State.LOADING
        self.failure: str | None = None
        self.chat: ChatModel | None = None
        self.embedding = self._pooled("embedding", config.embedding_model, config.served_name)
        self.rerank = self._pooled("rerank", config.rerank_model, config.rerank_name)
        self.metrics.watch_ready(lambda: self.is_ready)
        self._load = load
        self._wake = threading.Event()
        self._is_stopping = False
        self._worker = threading.Thread(target=self._work, name="model-worker", daemon=True)

    @property
    def chat_name(self) -> str | None:
        chat = self.config.chat
        return None if chat is None else chat.name or model_name_for(chat.model)

    @property
    def chat_limits(self) -> ChatLimits:
        return self.config.chat.limits if self.config.chat else ChatLimits()

    @property
    def model_names(self) -> list[str]:
        pooled = [model.name for model in self._pools]
        return [self.chat_name, *pooled] if self.chat_name is not None else pooled

    @property
    def is_ready(self) -> bool:
        return self.state is State.READY and self.receipts.is_writable()

    @property
    def is_idle(self) -> bool:
        """Whether no accepted request is unfinished."""
        is_chat_idle = self.chat is None or self.chat.engine.is_idle
        return is_chat_idle and all(model.queue.is_idle for model in self._pools)

    def chat_for(self, name: str) -> ChatModel:
        """Raises UnknownModel for another name, Unavailable while the model cannot be used."""
        if name != self.chat_name:
            raise UnknownModel("The model does not generate text here.", param="model")
        self.check_ready()
        assert self.chat is not None  # noqa: S101 - loaded before the service was ready
        return self.chat

    def pooled_for(self, model: PooledModel | None, name: str) -> tuple[PooledModel, LoadedEncoder]:
        """The same for the embedder or the reranker."""
        if model is None or model.name != name:
            raise UnknownModel("The model is not served here.", param="model")
        self.check_ready()
        assert model.encoder is not None  # noqa: S101 - loaded before the service was ready
        return model, model.encoder

    def check_ready(self) -> None:
        if self.state is not State.READY:
            retry_s = DRAINING_RETRY_S if self.state is State.DRAINING else LOADING_RETRY_S
            raise Unavailable(
                f"The server is {self.state}.", code=str(self.state), retry_after_s=retry_s
            )

    def check_receipts(self) -> None:
        """No work is taken that could not be accounted for."""
        if not self.receipts.is_writable():
            raise Unavailable(
                "The server cannot write receipts.",
                code="receipts_unwritable",
                retry_after_s=MAX_RETRY_S,
            )

    def start(self) -> None:
        self._worker.start()

    def drain(self) -> None:
        """Refuse new work from now on; what was accepted still runs."""
        if self.state is not State.FAILED:
            self.state = State.DRAINING
        for model in self._pools:
            model.queue.close()
        if self.chat is not None:
            self.chat.engine.close()
        self._wake.set()

    def abort(self) -> None:
        """Drain, and end what still generates."""
        self.drain()
        if self.chat is not None:
            self.chat.engine.stop()
        self._wake.set()

    def stop(self, timeout_s: float) -> None:
        """Abort and wait for the worker."""
        self._is_stopping = True
        self.abort()
        if self._worker.is_alive():
            self._worker.join(timeout_s)

    @property
    def _pools(self) -> list[PooledModel]:
        return [model for model in (self.embedding, self.rerank) if model is not None]

    def _pooled(self, kind: str, model: str | None, name: str | None) -> PooledModel | None:
        if model is None:
            return None
        limits, device = self.config.limits, self.config.device
        batch_tokens = limits.batch_tokens(device)
        if self.config.chat is not None:
            # A stream must not wait for more than it would wait for a prompt.
            batch_tokens = min(batch_tokens, self.chat_limits.budget(device))
        return PooledModel(
            kind,
            name or model_name_for(model),
            limits=limits,
            batch_tokens=batch_tokens,
            receipts=self.receipts,
            metrics=self.metrics,
            wake=lambda: self._wake.set(),
        )

    def _work(self) -> None:
        started = time.monotonic()
        try:
            self._place(self._load())
        except (ModelRefused, StartRefused) as error:
            self._fail(str(error))
            return
        except Exception as error:
            # The worker's boundary: without this the server would wait for a model for ever.
            log.exception("loading failed")
            self._fail(f"The models could not be loaded: {error}")
            return
        if self.state is State.LOADING:
            self.state = State.READY
        seconds = round(time.monotonic() - started, 2)
        log.info("models ready", extra={"models": self.model_names, "seconds": seconds})
        try:
            self._serve()
        except Exception as error:
            # The same boundary: a worker that died must end the process, not hang its clients.
            log.exception("the worker failed")
            self._abandon()
            self._fail(f"The worker failed: {error}")

    def _place(self, loaded: LoadedModels) -> None:
        for model, encoder in ((self.embedding, loaded.embedder), (self.rerank, loaded.reranker)):
            if model is not None:
                model.encoder = encoder
        if loaded.chat is not None:
            self.chat = ChatModel(
                self.chat_name or "",
                loaded.chat,
                limits=self.chat_limits,
                receipts=self.receipts,
                metrics=self.metrics,
                wake=self._wake.set,
            )

    def _serve(self) -> None:
        while not self._is_over():
            # Cleared before looking, so that work that comes meanwhile wakes the next wait.
            self._wake.clear()
            is_busy = self.chat is not None and self.chat.engine.turn()
            for model in self._pools:
                is_busy |= model.turn()
            if not is_busy and not self._is_over():
                self._wake.wait(IDLE_WAIT_S)

    def _abandon(self) -> None:
        """End what generates as far as that still goes, so that it leaves its receipts."""
        if self.chat is None:
            return
        try:
            self.chat.engine.stop()
            self.chat.engine.turn()
        except Exception:
            # Still the worker's boundary: the first failure is the one to report.
            log.exception("open requests could not be ended")

    def _is_over(self) -> bool:
        return self.state is State.DRAINING and self.is_idle and self._is_stopping

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self.state = State.FAILED
