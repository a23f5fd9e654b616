"""Rate limits on Redis, atomic over all processes. While Redis is away each process counts for itself, so that
a limit grows by the number of processes but never vanishes, and nobody is turned away for want of a counter.
"""

from functools import lru_cache

from django.conf import settings
from limits import parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis import RedisError

from furrow.core.errors import LimitReached
from furrow.core.logs import get_logger

log = get_logger(__name__)


@lru_cache(maxsize=1)
def _limiter() -> FixedWindowRateLimiter:
    uri = settings.REDIS_URL.replace("unix://", "redis+unix://", 1)
    storage = RedisStorage(uri, key_prefix="rate", socket_timeout=2, socket_connect_timeout=2)
    return FixedWindowRateLimiter(storage)


@lru_cache(maxsize=1)
def _own_limiter() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())


_parsed = lru_cache(maxsize=256)(parse)


def rate_check(rate: str, key: str, *, message: str) -> None:
    """Counts one use of `key` against `rate` (for example "20/minute"); raises `LimitReached` above it."""
    item = _parsed(rate)
    try:
        has_room = _limiter().hit(item, key)
    except RedisError as error:
        log.warning("rate_counted_locally", error=type(error).__name__)
        has_room = _own_limiter().hit(item, key)
    if not has_room:
        raise LimitReached(message, retry_after_s=item.get_expiry())
