"""The measured shapes are the models they are named after, and their arithmetic holds."""

from typing import Any

import pytest
import torch

from inference.bench.bench_inference import Measured, _table
from inference.bench.gpu_check import decode_bytes
from inference.bench.shapes import (
    DEEPSEEK_V2_LITE,
    GRANITE_1B_A400M,
    QWEN3_30B_A3B,
    RandomSource,
)
from inference.model.makers import Int8Maker
from inference.model.spec import spec_from_config
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
    table = _table(
        {"furrow int8": ours, "transformers fp32": peer}, GRANITE_1B_A400M, 2, ["gone: absent."]
    )
    assert "| furrow int8 | 256.0 | 10.0 | 20.0 | 40.0 | 110 / 100 |" in table
    assert "| furrow over transformers fp32 | 2.00x | 2.00x | 4.00x | 8.00x | |" in table
    assert "gone: absent." in table
