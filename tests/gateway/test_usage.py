"""Every server's way of counting ends in four buckets that do not overlap, or in an error."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furrow.gateway.dialects import DIALECTS
from furrow.gateway.usage import (
    Counted,
    Seen,
    TextWeight,
    usage_count,
    usage_estimate,
)
from furrow.metering.counts import MAX_TOKENS, Counts, UsageInvalid
from tests.fixtures_chat import openai_usage

SEEN = Seen(prompt=90, out=30, reasoning=10)
PLAIN = Seen(prompt=90, out=40)


def counted(dialect: str, seen: Seen = PLAIN, **message: Any) -> Counted:
    return usage_count(DIALECTS[dialect].read_usage, message, seen)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_cached_input_is_part_of_the_prompt_and_counted_once(dialect):
    result = counted(dialect, usage=openai_usage(100, 50, cached=64, reasoning=20))
    assert result == Counted(Counts(in_hit=64, in_miss=36, out=30, reasoning=20), "reported")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_explicit_zero_is_a_count(dialect):
    result = counted(dialect, usage=openai_usage(0, 0), seen=PLAIN)
    assert result == Counted(Counts(), "reported")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("message", [{}, {"usage": None}, {"usage": {}}])
def test_missing_usage_is_estimated_and_never_zero(dialect, message):
    assert counted(dialect, SEEN, **message) == Counted(Counts(0, 90, 30, 10), "estimated")
    assert usage_estimate(SEEN) == Counted(Counts(0, 90, 30, 10), "estimated")


def test_vllm_without_details_keeps_its_totals_but_is_estimated():
    result = counted("vllm", usage=openai_usage(100, 50, cached=None, reasoning=None))
    assert result == Counted(Counts(0, 100, 50, 0), "estimated")


def test_thoughts_that_were_seen_but_not_counted_are_shared_out():
    result = counted("vllm", SEEN, usage=openai_usage(100, 80, cached=0, reasoning=None))
    assert result == Counted(Counts(0, 100, 60, 20), "estimated")


def test_deepseek_names_both_parts_of_the_prompt():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_cache_hit_tokens": 64,
        "prompt_cache_miss_tokens": 36,
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    assert counted("deepseek", usage=usage) == Counted(Counts(64, 36, 30, 20), "reported")
    with pytest.raises(UsageInvalid):
        counted("deepseek", usage=usage | {"prompt_cache_miss_tokens": 37})


def test_sglang_counts_thoughts_beside_the_details():
    usage = openai_usage(100, 50, cached=64, reasoning=None)
    told = counted("sglang", SEEN, usage=usage | {"reasoning_tokens": 20})
    assert told == Counted(Counts(64, 36, 30, 20), "reported")
    # Older versions say 0 whatever was thought.
    wrong = counted("sglang", SEEN, usage=usage | {"reasoning_tokens": 0})
    assert wrong == Counted(Counts(64, 36, 38, 12), "estimated")
    none = counted("sglang", PLAIN, usage=usage | {"reasoning_tokens": 0})
    assert none == Counted(Counts(64, 36, 50, 0), "reported")


def test_llamacpp_timings_fill_in_what_its_usage_leaves_out():
    timings = {"cache_n": 64, "prompt_n": 36, "predicted_n": 50}
    plain = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    expected = Counted(Counts(64, 36, 50, 0), "reported")
    assert counted("llamacpp", usage=plain, timings=timings) == expected
    assert counted("llamacpp", usage=None, timings=timings) == expected
    assert counted("llamacpp", usage=plain).basis == "estimated"


@pytest.mark.parametrize(
    "usage",
    [
        openai_usage(10, 5, cached=11),
        openai_usage(10, 5, reasoning=6),
        openai_usage(10, 5) | {"total_tokens": 16},
        openai_usage(10, 5) | {"prompt_tokens": "10"},
        openai_usage(10, 5) | {"completion_tokens": 5.0},
        openai_usage(10, 5) | {"prompt_tokens": True},
        openai_usage(10, -5),
        openai_usage(MAX_TOKENS + 1, 5),
        openai_usage(10, 5) | {"prompt_tokens_details": 4},
        [10, 5],
        "10",
    ],
)
def test_counts_that_cannot_be_true_are_refused(usage):
    with pytest.raises(UsageInvalid):
        counted("openai", usage=usage)


numbers = st.one_of(
    st.none(),
    st.integers(-5, 300),
    st.integers(),
    st.just(0),
    st.text(max_size=3),
    st.booleans(),
    st.floats(allow_nan=True),
    st.lists(st.integers(), max_size=1),
)
details = st.one_of(
    numbers, st.dictionaries(st.sampled_from(["cached_tokens", "reasoning_tokens"]), numbers)
)
usages = st.one_of(
    numbers,
    st.fixed_dictionaries(
        {},
        optional={
            "prompt_tokens": numbers,
            "completion_tokens": numbers,
            "total_tokens": numbers,
            "reasoning_tokens": numbers,
            "prompt_cache_hit_tokens": numbers,
            "prompt_cache_miss_tokens": numbers,
            "prompt_tokens_details": details,
            "completion_tokens_details": details,
        },
    ),
)
timings = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("cache_n", "prompt_n", "predicted_n"), numbers)
    ),
)
seens = st.builds(Seen, *[st.integers(0, 10_000)] * 3)


@given(st.sampled_from(sorted(DIALECTS)), usages, timings, seens)
@pytest.mark.slow
def test_anything_is_an_error_or_true_to_what_was_said(dialect, usage, timing, seen):
    try:
        result = usage_count(
            DIALECTS[dialect].read_usage, {"usage": usage, "timings": timing}, seen
        )
    except UsageInvalid:
        return
    said = usage if isinstance(usage, dict) else {}
    buckets = result.usage
    assert min(buckets.in_hit, buckets.in_miss, buckets.out, buckets.reasoning) >= 0
    assert type(buckets.in_hit) is type(buckets.out) is int
    if said.get("prompt_tokens") is not None:
        assert buckets.prompt == said["prompt_tokens"]
    if said.get("completion_tokens") is not None:
        assert buckets.completion == said["completion_tokens"]
    if result.basis == "reported":
        prompts = ("prompt_tokens", "prompt_cache_hit_tokens")
        assert timing or any(said.get(name) is not None for name in prompts)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.data())
def test_true_counts_come_back_whole(prompt, completion, data):
    cached = data.draw(st.integers(0, prompt))
    thought = data.draw(st.integers(0, completion))
    result = counted("openai", usage=openai_usage(prompt, completion, cached, thought))
    expected = Counts(cached, prompt - cached, completion - thought, thought)
    assert result == Counted(expected, "reported")


def test_buckets_cannot_be_built_wrong():
    for wrong in (-1, True, 1.0, MAX_TOKENS + 1):
        with pytest.raises(UsageInvalid):
            Counts(in_hit=wrong)


def test_chinese_weighs_more_than_english():
    weight = TextWeight()
    weight.add("four")
    weight.add("")
    assert weight.tokens == 1
    weight.add("退货运费谁付")
    assert weight.tokens == 6
