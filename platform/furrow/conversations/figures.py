"""What became of questions and conversations, for the owner's pages. From hours only, in one query."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from furrow.core.context import current_tenant_id
from furrow.metering.selectors import day_span

# One row for each rung, and one for the conversations.
_FIGURES = """
SELECT rung, sum(questions)::bigint, sum(answered)::bigint, sum(solved)::bigint, sum(written)::bigint
  FROM conversations_turnhour
 WHERE tenant_id = %(tenant)s AND hour >= %(since)s AND hour < %(until)s
 GROUP BY rung
UNION ALL
SELECT NULL, coalesce(sum(begun), 0)::bigint, coalesce(sum(resolved), 0)::bigint,
       coalesce(sum(confirmed), 0)::bigint, 0
  FROM conversations_conversationhour
 WHERE tenant_id = %(tenant)s AND hour >= %(since)s AND hour < %(until)s
"""


@dataclass(frozen=True)
class Answers:
    """`solved` counts questions answered and not marked unhelpful; `resolved` counts conversations that ended
    so without a person, `confirmed` those of them in which a visitor said that it helped.
    """

    conversations: int
    questions: int
    solved: int
    resolved: int
    confirmed: int
    by_rung: dict[str, int]
    written_with_tests: int


def answers_between(since: date, until: date) -> Answers:
    """Both days included. Test chats count nowhere but in `written_with_tests`, because they cost too."""
    begin, end = day_span(since, until)
    values: dict[str, Any] = {"tenant": current_tenant_id(), "since": begin, "until": end}
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, values)
        rows = cursor.fetchall()
    rungs = [row for row in rows if row[0] is not None]
    begun, resolved, confirmed = next(row[1:4] for row in rows if row[0] is None)
    return Answers(
        conversations=begun,
        questions=sum(row[1] for row in rungs),
        solved=sum(row[3] for row in rungs),
        resolved=resolved,
        confirmed=confirmed,
        by_rung={row[0]: row[2] for row in rungs if row[2]},
        written_with_tests=sum(row[4] for row in rungs),
    )
