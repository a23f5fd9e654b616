"""Structured logs with request, tenant and object ids. Callers never log contents, names or secrets."""

import logging
import logging.config
from contextvars import ContextVar
from typing import Any

import structlog

from furrow.core.context import tenant_id_or_none

request_id_var: ContextVar[str] = ContextVar("furrow_request_id", default="")


def _add_context(_: Any, __: str, event: Any) -> Any:
    if request_id := request_id_var.get():
        event.setdefault("request_id", request_id)
    if tenant_id := tenant_id_or_none():
        event.setdefault("tenant", str(tenant_id))
    return event


def configure(options: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG hook; `options` are {"level": str, "json": bool}."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_context,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if options.get("json")
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        renderer,
                    ],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": options.get("level", "INFO")},
            # httpx logs every URL at INFO, and a URL may carry what a person typed.
            "loggers": {"httpx": {"level": "WARNING"}, "httpcore": {"level": "WARNING"}},
        }
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
