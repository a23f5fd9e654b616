"""Redis connections, one pool per process and per event loop kind."""

from functools import lru_cache

import redis
import redis.asyncio
from django.conf import settings


@lru_cache(maxsize=1)
def sync_redis() -> redis.Redis:
    """For views and workers."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2)


def async_redis() -> redis.asyncio.Redis:
    """For one stream; the caller closes it with `aclose()`. Bound to the running event loop."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_timeout=30, socket_connect_timeout=2
    )
