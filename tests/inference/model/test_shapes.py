"""The measured shapes are the models they are named after, and their arithmetic holds."""

import os
from typing import Any

import pytest
import torch

from inference.bench.bench_inference import HELD_TO_AVX2, Measured, _held_to, _table
from inference.bench.gpu_check import decode_bytes
from inference.bench.shapes import (
    DEEPSEEK_V2_LITE,
    GRANITE_1B_A400M,
    QWEN3_30B_A3B,
    RandomSource,
)
from inference.model.families import spec_from_config
from inference.model.makers import Int8Maker
from inference.model.weights import decoder_build, weight_bytes
from tests.inference.model.conftest import Session


@pytest.mark.parametrize(
    ("config", "parameters", "step_gb"),
    [
        (GRANITE_1B_A400M, 1.33e9, 0.91),
        (QWEN3_30B_A3B, 30.5e9, 6.2),
        (DEEPSEEK_V2_LITE, 15.7e9, 4.9),
    ],
)
def test_sizes_are_those_of_the_real_models(
    config: dict[str, Any], parameters: float, step_gb: float
) -> None:
    spec = spec_from_config(config)
    assert weight_bytes(spec, "none", torch.bfloat16) / 2 == pytest.approx(parameters, rel=0.01)
    assert decode_bytes(spec, 1) / 1e9 == pytest.approx(step_gb, rel=0.03)


def test_more_sequences_touch_more_experts_but_never_all_twice() -> None:
    spec = spec_from_config(QWEN3_30B_A3B)
    one, many = decode_bytes(spec, 1), decode_bytes(spec, 64)
    assert 8 * one < many < 64 * one


def test_random_weights_make_a_working_decoder() -> None:
    config = GRANITE_1B_A400M | {
        "num_hidden_layers": 1,
        "vocab_size": 96,
        "hidden_size": 64,
        "intermediate_size": 32,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    decoder = decoder_build(spec_from_config(config), RandomSource(), Int8Maker())
    logits = Session(decoder).step({0: [1, 2, 3]}, all_logits=True)
    assert logits.shape == (3, 96)
    assert logits.isfinite().all()
    assert logits.std() > 0


def test_the_table_compares_rates() -> None:
    ours = Measured("ours 1", 100.0, 110.0, {"prefill": 1.0, 1: 0.1, 4: 0.2, 16: 0.4})
    peer = Measured("peer 2", 400.0, 440.0, {"prefill": 2.0, 1: 0.2, 4: 0.8, 16: 3.2})
    slow = Measured("ours 1", 100.0, 121.0, {"prefill": 1.0, 1: 1.1, 4: 0.2, 16: 0.4})
    found = {
        isa: {"furrow int8": own, "transformers fp32": peer}
        for isa, own in (("native", ours), ("avx2", slow))
    }
    table = _table(found, GRANITE_1B_A400M, 2, ["gone: absent."])
    assert "- native, decode x1 over transformers fp32: 2.00, bar 5.0: MISSED" in table
    assert "- native, memory over weights: 1.10, bar 1.2: met" in table
    assert "- avx2, memory over weights: 1.21, bar 1.2: MISSED" in table
    assert "| furrow int8, avx2 | 256.0 | 0.9 |" in table
    assert "| furrow int8, native | 256.0 | 10.0 | 20.0 | 40.0 | 110 / 100 |" in table
    assert "| furrow over transformers fp32, native | 2.00x | 2.00x | 4.00x | 8.00x | |" in table
    assert "gone: absent." in table


def test_a_worker_is_held_to_avx2_and_the_parent_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx512")
    with _held_to("avx2"):
        assert {os.environ[name] for name in HELD_TO_AVX2} == {"avx2", "AVX2"}
    assert os.environ["ATEN_CPU_CAPABILITY"] == "avx512"
    assert "FURROW_CPU_ISA" not in os.environ
    with _held_to("native"):
        assert not set(HELD_TO_AVX2) & set(os.environ)
