"""A process that chats through the gateway until it is killed: `python -m tests.faults.caller TENANT_ID SEED`.

Some answers are read to their end, some are let go of after a few words, as visitors do.
"""

import random
import sys
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "platform"))

import django

django.setup()

from django.db import connection  # noqa: E402

from furrow.core.context import tenant_context  # noqa: E402
from furrow.core.errors import LimitReached, UpstreamFailed  # noqa: E402
from furrow.gateway.chat import chat_stream  # noqa: E402
from furrow.gateway.chat_types import ChatRequest  # noqa: E402
from furrow.metering.attribution import attributed  # noqa: E402


def main(tenant_id: UUID, seed: int) -> None:
    chance = random.Random(seed)
    with tenant_context(tenant_id):
        while True:
            call(chance)
            connection.close()


def call(chance: random.Random) -> None:
    question = "Who pays for the return? " * chance.randint(1, 12)
    request = ChatRequest(
        messages=[{"role": "user", "content": question}],
        max_tokens=chance.randint(1, 60),
        options={"temperature": 1.0, "seed": chance.randint(0, 10**6)},
    )
    let_go_after = chance.choice((None, None, 0, 1, 5))
    with attributed(channel="api", visitor_id=f"v{chance.randint(1, 3)}"):
        stream = chat_stream(request)
        try:
            for n, _ in enumerate(stream):
                if n == let_go_after:
                    break
        except (UpstreamFailed, LimitReached):
            pass
        finally:
            stream.close()


if __name__ == "__main__":
    main(UUID(sys.argv[1]), int(sys.argv[2]))
