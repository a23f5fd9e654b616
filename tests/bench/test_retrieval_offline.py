import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("retrieval_offline.py")


@pytest.mark.data
@pytest.mark.slow
def test_reading_stays_above_its_floor() -> None:
    spec = importlib.util.spec_from_file_location("retrieval_offline", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    if not (bench.DATA / "cmrc2018_trial").is_dir():
        pytest.skip("the reading set is not beside the checkout")
    figures = bench.measure_reading()
    assert figures["recall@5"] >= 0.99
    assert figures["all"] >= 0.815
