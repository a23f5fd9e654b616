"""Start, serve, drain, stop: the process around the application."""

import logging
import socket
import time
from types import FrameType

import uvicorn

from inference.config import ServeConfig, StartRefused, api_keys_read
from inference.pooling.folder import model_is_local, model_locate
from inference.server.app import app_create
from inference.server.logs import logs_set_up
from inference.server.receipts import ReceiptLog
from inference.server.service import LoadedModels, ModelService, State

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5


class AddressTaken(StartRefused):
    """Nothing can listen on the address."""


class DrainingServer(uvicorn.Server):
    """On the first signal it goes on answering, but takes no new work, until the queue is empty
    or `drain_timeout_s` is over; a second signal ends it at once."""

    def __init__(self, config: uvicorn.Config, service: ModelService) -> None:
        super().__init__(config)
        self._service = service
        self._drain_ends_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._drain_ends_at is None:
            self._drain_ends_at = time.monotonic() + self._service.config.drain_timeout_s
            self._service.drain()
        else:
            self.should_exit = self.force_exit = True

    async def on_tick(self, counter: int) -> bool:
        is_over = await super().on_tick(counter)
        if self._service.state is State.FAILED:
            return True
        if self._drain_ends_at is None:
            return is_over
        is_late = time.monotonic() > self._drain_ends_at
        if is_late:
            # Streams end with an error event then, instead of breaking off.
            self._service.abort()
        return is_over or is_late or self._service.is_idle


def serve(config: ServeConfig) -> int:
    """Run until a signal; returns the exit status. Raises named errors before it listens."""
    keys = api_keys_read(config.api_key_file)
    for name in (config.embedding_model, config.rerank_model):
        # Checked before listening, so that a wrong folder ends the start at once.
        if name is not None and model_is_local(name):
            model_locate(name)
    listener = _listen(config.host, config.port)
    receipts = ReceiptLog(config.receipts_file)
    logs_set_up()
    service = ModelService(config, receipts, lambda: _load(config))
    server = DrainingServer(
        uvicorn.Config(
            app_create(service, keys),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=CLOSE_TIMEOUT_S,
        ),
        service,
    )
    host, port = listener.getsockname()[:2]
    log.info("listening", extra={"host": host, "port": port, "boot_id": receipts.boot_id})
    service.start()
    server.run(sockets=[listener])
    service.stop(timeout_s=CLOSE_TIMEOUT_S)
    receipts.close()
    if service.failure is not None:
        log.error("start failed", extra={"reason": service.failure})
        return 3
    log.info("stopped")
    return 0


def _load(config: ServeConfig) -> LoadedModels:
    # Imported here, on the worker: torch takes a second, and probes are answered meanwhile.
    from inference.server.loading import models_load  # noqa: PLC0415

    return models_load(config)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Listening now, not when uvicorn is up: a second server on the port must fail here.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise AddressTaken(
            f"The server cannot listen on {host} port {port}: {error.strerror}. "
            "Stop what uses it or give another --port."
        ) from error
    return listener
