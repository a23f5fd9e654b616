"""The bell of a conversation: tells its readers that there is something new. What is new stands in the rows."""

from typing import Any

import redis
from django.db import transaction

from furrow.conversations.models import Conversation
from furrow.core.keys import tenant_key
from furrow.core.logs import get_logger
from furrow.core.redis import sync_redis

LIFETIME_S = 3600
log = get_logger(__name__)


def bell_key(tenant_id: Any, conversation_id: Any) -> str:
    return tenant_key(tenant_id, "feed", conversation_id)


def ring(conversation: Conversation) -> None:
    """Once what happened has committed. A Redis that is away costs seconds, not messages: readers also look."""
    key = bell_key(conversation.tenant_id, conversation.id)
    transaction.on_commit(lambda: _ring(key))


def _ring(key: str) -> None:
    try:
        with sync_redis().pipeline(transaction=False) as pipe:
            pipe.xadd(key, {"n": 1}, maxlen=10, approximate=True)
            pipe.expire(key, LIFETIME_S)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("bell_unheard", error=type(error).__name__)
