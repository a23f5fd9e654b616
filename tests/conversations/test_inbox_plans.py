"""The inbox's reads have an index to go by, however many conversations a business has; `tests/bench/inbox_plans.py`
measures them on a hundred thousand.
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from furrow.conversations.inbox import inbox_counts, inbox_list
from furrow.core.context import tenant_tx


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda: inbox_counts(uuid4()), "conversation_live"),
        (lambda: list(inbox_list(queue="mine", user_id=uuid4())), "conversation_live"),
    ],
)
def test_a_read_goes_by_its_index(bare_chat: Any, read: Callable[[], Any], index: str) -> None:
    with tenant_tx(bare_chat.tenant_id):
        with CaptureQueriesContext(connection) as captured:
            read()
        with connection.cursor() as cursor:
            # Of a table with a handful of rows the whole is read sooner than any index.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN " + captured.captured_queries[-1]["sql"])
            plan = "\n".join(row[0] for row in cursor.fetchall())
    assert index in plan
