import errno
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inference.server import receipts as module
from inference.server.receipts import INDEX_STEP, ReceiptFileRefused, ReceiptLog, Work
from inference.server.usage import usage_build

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def work(name: str = "r") -> Work:
    return Work(
        request_id=name,
        kind="embedding",
        usage=usage_build(computed=7),
        busy_us=12,
        finish_reason="stop",
        started_at=NOW,
        finished_at=NOW,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "receipts.jsonl"


def test_receipts_are_served_in_order_after_a_number(path: Path) -> None:
    log = ReceiptLog(path)
    for n in range(5):
        log.append(work(f"r{n}"))
    assert [r["request_id"] for r in log.after(2, limit=2)] == ["r2", "r3"]
    assert log.after(5, limit=9) == []
    log.close()


def test_any_start_is_found_in_a_long_file(path: Path) -> None:
    log = ReceiptLog(path)
    for _ in range(3 * INDEX_STEP):
        log.append(work())
    for after in (0, INDEX_STEP - 1, INDEX_STEP, INDEX_STEP + 1, 3 * INDEX_STEP - 1):
        assert log.after(after, limit=1)[0]["seq"] == after + 1
    assert len(log.after(0, limit=10_000)) == 3 * INDEX_STEP
    log.close()


def test_numbers_go_on_over_a_restart_under_a_new_boot_id(path: Path) -> None:
    first = ReceiptLog(path)
    first.append(work())
    first.close()
    second = ReceiptLog(path)
    second.append(work())
    found = second.after(0, limit=9)
    assert [r["seq"] for r in found] == [1, 2]
    assert found[0]["boot_id"] != found[1]["boot_id"] == second.boot_id
    second.close()


def test_a_line_cut_by_a_crash_is_dropped(path: Path) -> None:
    log = ReceiptLog(path)
    log.append(work())
    log.close()
    with path.open("ab") as file:
        file.write(b'{"seq":2,"boot')
    log = ReceiptLog(path)
    assert log.append(work()) == 2
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 2]
    log.close()


def test_two_servers_cannot_share_a_file(path: Path) -> None:
    log = ReceiptLog(path)
    with pytest.raises(ReceiptFileRefused, match="another server"):
        ReceiptLog(path)
    log.close()


def test_another_kind_of_file_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("hello\n")
    with pytest.raises(ReceiptFileRefused, match="not a receipts file"):
        ReceiptLog(path)
    assert path.read_text() == "hello\n"


def test_a_full_disk_keeps_receipts_until_it_has_room(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ReceiptLog(path)
    log.append(work("before"))
    with monkeypatch.context() as patch:
        patch.setattr(module.os, "write", _no_space)
        log.append(work("during"))
        assert not log.is_writable()
    assert log.is_writable()
    log.append(work("after"))
    assert [r["request_id"] for r in log.after(0, limit=9)] == ["before", "during", "after"]
    assert [r["seq"] for r in log.after(0, limit=9)] == [1, 2, 3]
    log.close()


def _no_space(file: int, line: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
