"""Which members are at work right now: a mark in Redis that the inbox renews while somebody looks at it.

Losing it costs a promise, never a message: without marks nobody counts as present.
"""

import time
from uuid import UUID

import redis

from furrow.core.keys import tenant_key
from furrow.core.logs import get_logger
from furrow.core.redis import sync_redis

LIFETIME_S = 60
log = get_logger(__name__)


def presence_mark(tenant_id: UUID, user_id: UUID) -> None:
    key = tenant_key(tenant_id, "present")
    try:
        with sync_redis().pipeline(transaction=False) as pipe:
            pipe.zadd(key, {str(user_id): time.time()})
            pipe.expire(key, LIFETIME_S)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("presence_unmarked", error=type(error).__name__)


def presence_leave(tenant_id: UUID, user_id: UUID) -> None:
    try:
        sync_redis().zrem(tenant_key(tenant_id, "present"), str(user_id))
    except redis.RedisError as error:
        log.warning("presence_unmarked", error=type(error).__name__)


def members_present(tenant_id: UUID) -> list[str]:
    """Ids of users seen in the last minute."""
    key = tenant_key(tenant_id, "present")
    try:
        found = sync_redis().zrangebyscore(key, time.time() - LIFETIME_S, "+inf")
    except redis.RedisError:
        return []
    return [member.decode() for member in found]  # type: ignore[union-attr]
