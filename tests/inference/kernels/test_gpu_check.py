"""What of the GPU run can be walked without one."""

import pytest
import torch

from inference.bench import gpu_check as module
from inference.bench.gpu_check import SHAPES, crossover_text, main, row
from inference.kernels.cuda_plan import GROUPED_FROM


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_a_dry_run_walks_every_part(tmp_path, capsys) -> None:
    pytest.importorskip("transformers", reason="it comes with the 'inference' extra")
    out = tmp_path / "report.md"
    assert main(["--dry-run", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert text == out.read_text()
    assert "DRY RUN" in text.splitlines()[0]
    for shape in SHAPES:
        assert f"| graphs and overlap, {shape.name} of two layers | 100% same | ok |" in text
        for what in (
            "decode x1, graphs and overlap", "decode x4, plain loop", "prefill 64",
            "first token, 32 new", "first token, 32 cached", "transformers, prefill 64",
            "transformers, decode x4",
        ):  # fmt: skip
            assert f"| {shape.name} | {what} | " in text
    assert f"fused below {GROUPED_FROM} rows" in text


@pytest.mark.slow
def test_a_wrong_loop_makes_the_run_fail(monkeypatch, capsys) -> None:
    monkeypatch.setattr(module, "loops_check", lambda rig, shape: 0.4)
    monkeypatch.setattr(module, "shape_measure", lambda *_: [])
    monkeypatch.setattr(module, "peer_measure", lambda *_: [])
    assert main(["--dry-run"]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_parts_that_find_no_time_are_named(capsys) -> None:
    assert main(["--dry-run", "--minutes", "0"]) == 0
    assert "peer_measure: no time left" in capsys.readouterr().out


def test_without_a_device_it_says_so(capsys) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert main([]) == 2
    assert "needs a CUDA device" in capsys.readouterr().err


def test_the_bars_are_those_that_were_set() -> None:
    qwen, deepseek = SHAPES
    assert qwen.bars == {1: 200, 64: 2500, 256: 6000, "prefill": 30_000}
    assert qwen.batches == (1, 64, 256)
    assert (deepseek.batches, deepseek.bars) == ((1, 64), {1: 300})
    assert row("decode x1", 1, 0.004, 0.5, 200).endswith("| 250 | 4.00 | 50% | 200: met")
    assert row("decode x1", 1, 0.01, None, 200).endswith("| 100 | 10.00 |  | 200: MISSED")


def test_the_crossover_is_where_grouping_first_wins() -> None:
    text = crossover_text({16: (1.0, 2.0), 512: (3.0, 2.5), 1024: (6.0, 3.0)})
    assert f"GROUPED_FROM is {GROUPED_FROM}, by this run 512." in text
    assert "above all of these" in crossover_text({16: (1.0, 2.0)})
