"""How visitors were served in a stretch of days: resolved or not, by whom, how fast, and how they felt.

Of conversations that began in it, without tests. A conversation the assistant ended alone was answered, went to no
person and got no thumb down; of these, apart:
- confirmed: the visitor said that it helped (a thumb up, or the happiest face);
- reopened: the visitor wrote again in it after a day of silence, or began another within three days that a person
  had to take;
- assumed: none of that, and silent for a day;
- open: not silent for a day yet.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from furrow.core.context import current_tenant_id
from furrow.metering.selectors import day_span

PROMPT_S = 180
# What one reply is taken to need at most: who went to lunch did not type for an hour.
REPLY_MOST_S = 300

_CONVERSATIONS = """
WITH talk AS (
  SELECT c.id, c.visitor_id, c.channel, c.created_at, c.last_turn_at
    FROM conversations_conversation c
   WHERE c.tenant_id = %(tenant)s AND NOT c.is_test AND c.created_at >= %(since)s AND c.created_at < %(until)s
     AND EXISTS (SELECT 1 FROM conversations_turn t WHERE t.tenant_id = c.tenant_id AND t.conversation_id = c.id)
), said AS (
  SELECT talk.id,
         bool_or(t.status = 'done' AND t.rung NOT IN ('human', 'person', 'held', '', 'greeting')) AS is_answered,
         bool_or(t.rung IN ('human', 'person', 'held')) AS is_beyond,
         bool_or(f.value = -1) AS is_disliked, bool_or(f.value = 1) AS is_liked,
         bool_or(t.pause > interval '1 day') AS is_resumed,
         min(t.finished_at) FILTER (WHERE t.status = 'done' AND t.rung NOT IN ('person', 'held')) AS answered_at,
         sum(coalesce(t.duration_ms, 0)) AS machine_ms,
         sum(coalesce((t.usage->>'input_hit')::bigint, 0) + coalesce((t.usage->>'input_miss')::bigint, 0)
             + coalesce((t.usage->>'output')::bigint, 0)) AS tokens
    FROM talk JOIN (
      SELECT turn.*, turn.created_at - lag(turn.created_at) OVER (PARTITION BY conversation_id ORDER BY number) AS pause
        FROM conversations_turn turn WHERE turn.tenant_id = %(tenant)s
         AND turn.conversation_id IN (SELECT id FROM talk)) AS t ON t.conversation_id = talk.id
    LEFT JOIN conversations_feedback f ON f.tenant_id = %(tenant)s AND f.turn_id = t.id
   GROUP BY talk.id
), ended AS (
  SELECT talk.*, said.tokens, said.machine_ms,
         EXISTS (SELECT 1 FROM conversations_handoff h WHERE h.tenant_id = %(tenant)s AND h.conversation_id = talk.id) AS is_handed,
         EXISTS (SELECT 1 FROM conversations_ticket k WHERE k.tenant_id = %(tenant)s AND k.conversation_id = talk.id) AS has_ticket,
         coalesce(said.is_liked, false) OR coalesce(s.score = 3, false) AS is_confirmed,
         coalesce(said.is_answered, false) AND NOT coalesce(said.is_beyond, false) AND NOT coalesce(said.is_disliked, false) AS is_alone,
         coalesce(said.is_resumed, false) OR (talk.visitor_id <> '' AND EXISTS (
           SELECT 1 FROM conversations_conversation o JOIN conversations_handoff h ON h.tenant_id = o.tenant_id AND h.conversation_id = o.id
            WHERE o.tenant_id = %(tenant)s AND o.visitor_id = talk.visitor_id AND o.channel = talk.channel AND o.id <> talk.id
              AND o.created_at > talk.created_at AND o.created_at < talk.last_turn_at + interval '3 days')) AS is_reopened,
         extract(epoch FROM least(said.answered_at,
           (SELECT min(m.created_at) FROM conversations_message m
             WHERE m.tenant_id = %(tenant)s AND m.conversation_id = talk.id AND m.kind = 'staff')) - talk.created_at) AS first_s
    FROM talk JOIN said ON said.id = talk.id
    LEFT JOIN conversations_csat s ON s.tenant_id = %(tenant)s AND s.conversation_id = talk.id
), kept AS (
  SELECT *, is_alone AND NOT is_handed AND NOT has_ticket AS is_resolved FROM ended
)
SELECT count(*), count(*) FILTER (WHERE is_resolved AND is_confirmed AND NOT is_reopened),
       count(*) FILTER (WHERE is_resolved AND is_reopened),
       count(*) FILTER (WHERE is_resolved AND NOT is_confirmed AND NOT is_reopened AND last_turn_at < now() - interval '1 day'),
       count(*) FILTER (WHERE is_resolved AND NOT is_confirmed AND NOT is_reopened AND last_turn_at >= now() - interval '1 day'),
       count(*) FILTER (WHERE is_handed),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY first_s),
       count(*) FILTER (WHERE first_s < %(prompt)s),
       coalesce(sum(tokens), 0)::bigint, coalesce(sum(machine_ms), 0)::bigint
  FROM kept
"""

_HANDOFFS = """
SELECT count(*), count(first_reply_at),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY wait_s) FILTER (WHERE wait_s IS NOT NULL),
       count(*) FILTER (WHERE wait_s < %(prompt)s)
  FROM (SELECT h.first_reply_at,
               extract(epoch FROM h.first_reply_at - greatest(h.created_at, coalesce(h.promised_at, h.created_at))) AS wait_s
          FROM conversations_handoff h JOIN conversations_conversation c ON c.tenant_id = h.tenant_id AND c.id = h.conversation_id
         WHERE h.tenant_id = %(tenant)s AND NOT c.is_test AND c.created_at >= %(since)s AND c.created_at < %(until)s) AS waited
"""

# A reply costs the time since the visitor's last word, since the member's own, or since the member took over before
# writing; who takes over by the reply itself has read first.
_HUMAN = """
SELECT coalesce(sum(least(%(most)s, greatest(5, extract(epoch FROM m.created_at - greatest(
         (SELECT max(t.created_at) FROM conversations_turn t WHERE t.tenant_id = m.tenant_id AND t.conversation_id = m.conversation_id AND t.created_at < m.created_at),
         (SELECT max(p.created_at) FROM conversations_message p WHERE p.tenant_id = m.tenant_id AND p.conversation_id = m.conversation_id AND p.number < m.number),
         (SELECT max(h.taken_at) FROM conversations_handoff h WHERE h.tenant_id = m.tenant_id AND h.conversation_id = m.conversation_id AND h.taken_at < m.created_at - interval '2 seconds')
       ))))), 0), count(*)
  FROM conversations_message m JOIN conversations_conversation c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id
 WHERE m.tenant_id = %(tenant)s AND m.kind = 'staff' AND NOT c.is_test AND c.created_at >= %(since)s AND c.created_at < %(until)s
"""

_CSAT = """
SELECT count(*) FILTER (WHERE s.score = 1), count(*) FILTER (WHERE s.score = 2), count(*) FILTER (WHERE s.score = 3)
  FROM conversations_csat s JOIN conversations_conversation c ON c.tenant_id = s.tenant_id AND c.id = s.conversation_id
 WHERE s.tenant_id = %(tenant)s AND NOT c.is_test AND c.created_at >= %(since)s AND c.created_at < %(until)s
"""


@dataclass(frozen=True)
class Served:
    """Times in seconds; a share or time is None before there is anything to share or time."""

    conversations: int
    confirmed: int
    reopened: int
    assumed: int
    open: int
    handed_over: int
    first_reply_s: float | None
    prompt: int
    tokens: int
    machine_ms: int
    handoffs: int
    handoffs_answered: int
    wait_s: float | None
    waits_prompt: int
    human_s: float
    replies: int
    unhappy: int
    so_so: int
    happy: int

    @property
    def resolved(self) -> int:
        """By the assistant alone, and still so."""
        return self.confirmed + self.assumed

    @property
    def judged(self) -> int:
        return self.unhappy + self.so_so + self.happy

    @property
    def handed_share(self) -> float | None:
        return self.handed_over / self.conversations if self.conversations else None

    @property
    def prompt_share(self) -> float | None:
        return self.prompt / self.conversations if self.conversations else None

    @property
    def waits_prompt_share(self) -> float | None:
        return self.waits_prompt / self.handoffs if self.handoffs else None

    @property
    def happy_share(self) -> float | None:
        return self.happy / self.judged if self.judged else None


def served(since: date, until: date) -> Served:
    """Both days included. Four queries over the rows of the stretch."""
    begin, end = day_span(since, until)
    values: dict[str, Any] = {
        "tenant": current_tenant_id(),
        "since": begin,
        "until": end,
        "prompt": PROMPT_S,
        "most": REPLY_MOST_S,
    }
    found: list[Any] = []
    with connection.cursor() as cursor:
        for query in (_CONVERSATIONS, _HANDOFFS, _HUMAN, _CSAT):
            cursor.execute(query, values)
            found += cursor.fetchone()
    return Served(*map(_plain, found))


def _plain(value: Any) -> Any:
    """The database's exact numbers of seconds as plain ones."""
    return float(value) if isinstance(value, Decimal) else value


def drafts_for(questions: list[str]) -> dict[str, str]:
    """What a member wrote after the very question an assistant had no answer to: the draft of an approved answer."""
    if not questions:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (t.text) t.text, m.text FROM conversations_turn t"
            " JOIN conversations_conversation c ON c.tenant_id = t.tenant_id AND c.id = t.conversation_id AND NOT c.is_test"
            " JOIN LATERAL (SELECT m.text, m.created_at FROM conversations_message m WHERE m.tenant_id = t.tenant_id"
            "   AND m.conversation_id = t.conversation_id AND m.kind = 'staff' AND m.after_turn >= t.number"
            "   ORDER BY m.number LIMIT 1) AS m ON true"
            " WHERE t.tenant_id = %s AND t.text = ANY(%s) ORDER BY t.text, m.created_at DESC",
            [current_tenant_id(), questions],
        )
        return dict(cursor.fetchall())
