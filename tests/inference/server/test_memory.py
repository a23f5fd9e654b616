from dataclasses import replace

import pytest

from inference.config import ChatConfig, ChatLimits
from inference.server.memory import GIB, DoesNotFit, Needs, free_memory, plan_make

NEEDS = Needs(
    free=100 * GIB,
    pooled=GIB,
    weights=60 * GIB,
    weights_int8=30 * GIB,
    workspace=2 * GIB,
    block_bytes=6 * 1024**2,
    block_size=64,
    positions=32_768,
    sequences=256,
    is_cpu=False,
)


def config(**options: object) -> ChatConfig:
    return ChatConfig(model="m", memory_share=0.9, **options)


def test_what_the_weights_leave_goes_to_the_cache() -> None:
    plan = plan_make(config(), NEEDS)
    assert plan.blocks == 27 * GIB // NEEDS.block_bytes
    assert plan.max_context == 32_768
    assert any("--kv-gib" in line for line in plan.lines())


def test_a_cpu_leaves_most_of_its_memory_to_others() -> None:
    plan = plan_make(config(), replace(NEEDS, is_cpu=True))
    assert plan.blocks == int(27 * GIB * 0.25) // NEEDS.block_bytes


def test_more_blocks_than_all_sequences_can_use_are_not_taken() -> None:
    plan = plan_make(config(limits=ChatLimits(max_context=640)), replace(NEEDS, sequences=4))
    assert (plan.blocks, plan.max_context) == (40, 640)


def test_a_small_cache_shortens_the_context() -> None:
    plan = plan_make(config(kv_gib=1.0), NEEDS)
    assert plan.max_context == plan.blocks * 64 == GIB // NEEDS.block_bytes * 64


@pytest.mark.parametrize(
    ("options", "changes", "advice"),
    [
        ({}, {"free": 40 * GIB}, "--quantization int8"),
        ({}, {"free": 40 * GIB, "weights_int8": None}, "smaller model"),
        ({}, {"free": 70 * GIB, "weights_int8": None, "pooled": 20 * GIB}, "--embedding-model"),
        ({"kv_gib": 28.0}, {}, "--kv-gib 28"),
        ({"kv_gib": 0.1}, {}, "--max-context 1088"),
        ({"kv_gib": 1.0, "limits": ChatLimits(max_context=20_000)}, {}, "--max-context 10880"),
    ],
)
def test_what_does_not_fit_names_the_flag_to_change(options, changes, advice) -> None:
    with pytest.raises(DoesNotFit) as refused:
        plan_make(config(**options), replace(NEEDS, **changes))
    assert advice in str(refused.value)


def test_the_machine_says_how_much_is_free() -> None:
    assert free_memory("cpu") > 0
