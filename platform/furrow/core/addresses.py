"""Connection settings from addresses. Imported by the settings, so it must not need Django."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from psycopg_pool.base import AttemptWithBackoff

# Nothing a person waits for may hang: see the fault table's "bounded waits".
_APP_LIMITS = (
    "-c statement_timeout=30000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000"
)


def database(url: str, *, pool_size: int = 0, is_owner: bool = False) -> dict[str, object]:
    """Django's connection settings from a postgresql:// URL; a socket folder goes in ?host=.

    The owner migrates and builds indexes, which may take long, so it has neither limits nor a pool.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("A database address must start with postgresql://")
    query = parse_qs(parts.query)
    options: dict[str, object] = {"prepare_threshold": None, "connect_timeout": 5}
    if not is_owner:
        options["options"] = _APP_LIMITS
    if sslmode := query.get("sslmode"):
        options["sslmode"] = sslmode[0]
    if pool_size:
        _pauses_shorten()
        options["pool"] = {
            "min_size": 1,
            "max_size": pool_size,
            "timeout": 10,
            "reconnect_timeout": 3,
            "reconnect_failed": _reconnect_again,
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [parts.hostname or ""])[0],
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        # The pool tries a connection before it lends it, so that a restarted database costs nobody an error.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def _pauses_shorten() -> None:
    """After a restart all idle connections are dead. Whoever asks tries them one after another, and the pool sleeps
    1, 2, 4 … seconds between them: with five of them that is longer than anybody waits.
    """
    AttemptWithBackoff.INITIAL_DELAY, AttemptWithBackoff.DELAY_BACKOFF = 0.2, 1.0


def _reconnect_again(pool: Any) -> None:
    """The pool doubles its pause with each failure, up to minutes; after a longer recovery of the database everybody
    would wait for that. Given up after three seconds and begun anew, it looks every second or two.
    """
    if not pool.closed:
        pool.check()
