"""Atomic rate limits on Redis. A limit that cannot be counted refuses: deny by default."""

from functools import lru_cache

from django.conf import settings
from limits import parse
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from furrow.core.errors import LimitReached


@lru_cache(maxsize=1)
def _limiter() -> FixedWindowRateLimiter:
    uri = settings.REDIS_URL.replace("unix://", "redis+unix://", 1)
    return FixedWindowRateLimiter(RedisStorage(uri, key_prefix="rate"))


def rate_check(rate: str, key: str, *, message: str) -> None:
    """Counts one use of `key` against `rate` (for example "20/minute"); raises `LimitReached` above it."""
    item = parse(rate)
    if not _limiter().hit(item, key):
        raise LimitReached(message, retry_after_s=item.get_expiry())
