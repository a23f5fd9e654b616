"""The inbox's reads have an index to go by, however many conversations a business has."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_reads_of_a_large_business_go_by_an_index() -> None:
    """In a database of its own: which way is taken hangs on sizes and statistics, and they on the other tests."""
    command = [sys.executable, "tests/bench/inbox_plans.py", "--talks", "30000"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("conversation_live") >= 2
