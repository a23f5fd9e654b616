"""How the inbox reads a business of 100,000 conversations: `python tests/bench/inbox_plans.py [--talks 100000]`.

One in a hundred waits or is with a person, the rest stays the assistant's for ever, as nobody closes what was answered.
Prints the plan and the time of the counts, which each open inbox asks every three seconds, of the list, and of the
replies that become drafts for gaps. Fails where one of them reads a whole table; the last one does: a row-level
policy lets no index on an expression of the question be used, and it is asked once a visit of the report, not every three seconds.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

_FILL = """
INSERT INTO conversations_conversation (id, created_at, tenant_id, assistant_id, channel, visitor_id, language, state,
  is_test, last_turn_at, waiting_since, topic, mood, is_urgent)
SELECT gen_random_uuid(), now() - n * interval '1 minute', %(tenant)s, %(assistant)s, 'widget', 'v' || n, 'zh',
       CASE WHEN n %% 100 = 0 THEN 'waiting' ELSE 'bot' END, false, now() - n * interval '1 minute',
       CASE WHEN n %% 100 = 0 THEN now() - n * interval '1 minute' END, 'other', '', false
  FROM generate_series(1, %(talks)s) AS n;
INSERT INTO conversations_turn (id, created_at, tenant_id, conversation_id, number, text, payer, status, rung, answer,
  citations, usage, cost_amount, cost_currency, trace, error_code)
SELECT gen_random_uuid(), c.created_at, c.tenant_id, c.id, n, 'question ' || c.visitor_id || ' ' || n, '{}', 'done',
       'quoted', 'answer', '[]', '{}', 0, 'CNY', '[]', ''
  FROM conversations_conversation c, generate_series(1, 3) AS n WHERE c.tenant_id = %(tenant)s;
INSERT INTO conversations_message (id, created_at, tenant_id, conversation_id, number, after_turn, kind, text,
  author_name, key)
SELECT gen_random_uuid(), now(), c.tenant_id, c.id, 1, 3, 'staff', 'by hand', '', ''
  FROM conversations_conversation c WHERE c.tenant_id = %(tenant)s AND c.state = 'waiting';
"""


def main() -> None:
    from tests.bench.retrieval_api import scratch_database  # noqa: PLC0415  after the path is set

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--talks", type=int, default=100_000)
    talks = parser.parse_args().talks
    with scratch_database():
        tenant_id = _filled(talks)
        bad = [
            name
            for name, plan in _plans(tenant_id).items()
            if name != "drafts" and _reads_all(plan)
        ]
    if bad:
        raise SystemExit(f"reads a whole table: {', '.join(bad)}")


def _filled(talks: int) -> Any:
    from django.db import connections  # noqa: PLC0415

    from furrow.assistants.services import assistant_create  # noqa: PLC0415
    from furrow.core.context import tenant_tx  # noqa: PLC0415
    from furrow.tenants.services import SYSTEM, tenant_create  # noqa: PLC0415

    tenant = tenant_create(name="Large", slug="large")
    with tenant_tx(tenant.id):
        assistant = assistant_create(actor=SYSTEM, name="Large")
    values = {"tenant": tenant.id, "assistant": assistant.id, "talks": talks}
    with connections["owner"].cursor() as cursor:
        # Without the triggers that note which hours to sum up: they are another measurement's affair.
        cursor.execute("SET session_replication_role = replica")
        for statement in filter(str.strip, _FILL.split(";")):
            cursor.execute(statement, values)
        for table in ("conversation", "turn", "message"):
            cursor.execute(f"ANALYZE conversations_{table}")
    return tenant.id


def _plans(tenant_id: Any) -> dict[str, str]:
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from furrow.conversations.inbox import inbox_counts, inbox_list  # noqa: PLC0415
    from furrow.conversations.service_report import drafts_for  # noqa: PLC0415
    from furrow.core.context import tenant_tx  # noqa: PLC0415

    questions = [f"question v{n} 2" for n in range(100, 900, 100)]
    reads: dict[str, Any] = {
        "counts": lambda: inbox_counts(uuid4()),
        "waiting": lambda: list(inbox_list(queue="waiting", user_id=uuid4())[:30]),
        "unassigned": lambda: list(inbox_list(queue="unassigned", user_id=uuid4())[:30]),
        "all": lambda: list(inbox_list(queue="all", user_id=uuid4())[:30]),
        "drafts": lambda: drafts_for(questions),
    }
    plans = {}
    with tenant_tx(tenant_id):
        for name, read in reads.items():
            with CaptureQueriesContext(connection) as captured:
                begun = time.perf_counter()
                read()
                took = time.perf_counter() - begun
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + captured.captured_queries[-1]["sql"])
                plans[name] = "\n".join(row[0] for row in cursor.fetchall())
            _say(f"{name}: {1000 * took:.1f} ms\n{plans[name]}\n")
    return plans


def _reads_all(plan: str) -> bool:
    tables = ("conversations_conversation", "conversations_turn", "conversations_message")
    return any(f"Seq Scan on {table}" in plan for table in tables)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
