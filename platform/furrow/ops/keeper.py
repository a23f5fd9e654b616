"""Brings the embedded PostgreSQL back when it died. It is not a child of ours: it survives our own restarts."""

import logging
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from furrow.core.errors import AppError
from furrow.ops import embedded

# Somebody's `pg_ctl restart` has its gap too; a server of ours inside it would make that command wait for ever.
_GRACE_S = 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_MOST_TRIES = 8


class DatabaseLost(AppError):
    """The database ended and does not come back; the message says what to do."""

    code = "database_lost"


@dataclass
class DatabaseKeeper:
    """Called again and again while everything runs; cheap as long as the database does."""

    data_dir: Path
    report: Callable[[str], None]
    tries: int = 0
    next_try: float | None = None

    def __call__(self) -> None:
        if self.tries == 0 and embedded.postgres_is_alive(self.data_dir):
            self.next_try = None
            return
        if self.next_try is None:
            self.next_try = time.monotonic() + _GRACE_S
        if time.monotonic() < self.next_try:
            return
        if self.tries == 0:
            self.report("The database stopped; starting it again")
        try:
            embedded.postgres_revive(self.data_dir)
        except (subprocess.SubprocessError, OSError) as error:
            self._failed(error)
        else:
            self.tries, self.next_try = 0, None
            self.report("The database answers again; nothing that was stored is lost")

    def _failed(self, error: Exception) -> None:
        logging.getLogger(__name__).warning("database_revive_failed: %s", type(error).__name__)
        self.tries += 1
        pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**self.tries)
        self.next_try = time.monotonic() + pause
        if self.tries >= _MOST_TRIES:
            raise DatabaseLost(
                f"The database stopped and did not start again in {self.tries} tries. Its data is still in "
                f"{self.data_dir}; {self.data_dir / 'log'} says why. A full disk is the usual reason."
            )
