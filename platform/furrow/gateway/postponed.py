"""Settlements that the database did not take at once: tried again in a thread, until their holds are swept.

The hold is a committed row, so what is lost with the process here is settled from the server's receipt, or
given up by the sweep at our own cost.
"""

import threading
import time
from collections.abc import Callable

from django.db import Error, connection

from furrow.core.logs import get_logger

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 20.0
GIVE_UP_AFTER_S = 15 * 60.0

log = get_logger(__name__)


def postpone(work: Callable[[], None], *, request_id: str) -> threading.Thread:
    """Runs `work` on a connection of its own until it succeeds."""
    thread = threading.Thread(
        target=_run, args=(work, request_id), name="settlement-postponed", daemon=True
    )
    thread.start()
    return thread


def _run(work: Callable[[], None], request_id: str) -> None:
    wait_s, deadline = FIRST_WAIT_S, time.monotonic() + GIVE_UP_AFTER_S
    while True:
        try:
            work()
        except Error:
            if time.monotonic() > deadline:
                log.exception("settlement_lost", request=request_id)
                return
        else:
            log.info("settlement_caught_up", request=request_id)
            return
        finally:
            connection.close()
        time.sleep(wait_s)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)
