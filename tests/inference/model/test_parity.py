from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from inference.model.paged import TorchOps
from tests.inference.model.conftest import FAMILIES, Session, Tiny


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_equal_the_reference(
    family: str, tiny: Callable[[str], Tiny], prompt: list[int]
) -> None:
    checkpoint = tiny(family)
    found = Session(checkpoint.load()).step({0: prompt}, all_logits=True)
    torch.testing.assert_close(found, checkpoint.logits(prompt), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_tokens_equal_the_reference(
    family: str, tiny: Callable[[str], Tiny], prompt: list[int]
) -> None:
    checkpoint = tiny(family)
    found = Session(checkpoint.load()).greedy(prompt, 64)
    assert found == checkpoint.greedy(prompt, 64)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_chunked_prompt_equals_a_whole_one(
    family: str, tiny: Callable[[str], Tiny], prompt: list[int]
) -> None:
    decoder = tiny(family).load()
    whole = Session(decoder).step({0: prompt}, all_logits=True)
    session = Session(decoder)
    parts = [prompt[:5], prompt[5:6], prompt[6:14], prompt[14:]]
    chunked = torch.cat([session.step({0: part}, all_logits=True) for part in parts])
    torch.testing.assert_close(chunked, whole, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sequence_in_a_mixed_batch_equals_it_alone(
    family: str, tiny: Callable[[str], Tiny], prompt: list[int]
) -> None:
    decoder = tiny(family).load()
    together, alone = Session(decoder, sequences=3), Session(decoder)
    others = [prompt[3:20], prompt[::-1]]
    together.step({1: others[0]})
    for part, mates in (
        (prompt[:10], {1: [7], 2: others[1][:4]}),
        (prompt[10:11], {1: [8], 2: others[1][4:]}),
        (prompt[11:], {1: [9, 10]}),
        ([5], {1: [1], 2: [2]}),
    ):
        # Batch order differs from step to step; ours is never the first.
        mixed = together.step(mates | {0: part})[-1]
        torch.testing.assert_close(mixed, alone.step({0: part})[-1], atol=1e-4, rtol=1e-4)


def test_only_the_wanted_rows_get_logits(tiny: Callable[[str], Tiny], prompt: list[int]) -> None:
    session = Session(tiny("llama").load(), sequences=2)
    assert session.step({0: prompt, 1: prompt[:3]}).shape == (2, session.decoder.spec.vocab)


@pytest.mark.parametrize("family", ["llama", "gpt-oss", "deepseek-v3", "granitemoe"])
def test_decoding_without_c_kernels_gives_the_same(
    family: str, tiny: Callable[[str], Tiny], prompt: list[int]
) -> None:
    decoder = tiny(family).load()
    plain = replace(decoder, ops=TorchOps())
    assert Session(decoder).greedy(prompt, 12) == Session(plain).greedy(prompt, 12)


@pytest.mark.parametrize("family", ["deepseek-v2", "deepseek-v3"])
def test_absorbed_and_naive_latent_attention_agree(
    family: str, tiny: Callable[[str], Tiny], prompt: list[int]
) -> None:
    decoder = tiny(family).load()
    session = Session(decoder)
    # One token at a time takes the absorbed way, a whole prompt the naive one.
    absorbed = torch.cat([session.step({0: [token]}) for token in prompt])
    naive = Session(decoder).step({0: prompt}, all_logits=True)
    torch.testing.assert_close(absorbed, naive, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", ["granitemoe-wide", "llama-wide"])
def test_int8_stays_close_to_float(family: str, tiny: Callable[[str], Tiny]) -> None:
    checkpoint = tiny(family)
    exact, small = (Session(checkpoint.load(quantization=kind)) for kind in ("none", "int8"))
    ids = torch.randint(0, 96, (100,), generator=torch.Generator().manual_seed(2)).tolist()
    expected, found = (session.step({0: ids}, all_logits=True) for session in (exact, small))
    assert (found - expected).norm() / expected.norm() < 0.03
    assert (found.argmax(-1) == expected.argmax(-1)).float().mean() >= 0.95


@pytest.mark.parametrize("family", ["granitemoe-wide", "llama-wide", "deepseek-v3", "gpt-oss"])
def test_a_half_precision_cache_stays_close_and_forgets_nothing(
    family: str, tiny: Callable[[str], Tiny], prompt: list[int]
) -> None:
    # In float, where nothing else rounds: int8 inputs would flip at every small difference.
    decoder = tiny(family).load()
    exact, half = Session(decoder), Session(decoder, kept=torch.float16)
    ids = prompt + prompt[::-1]
    expected, whole = (one.step({0: ids}, all_logits=True) for one in (exact, half))
    assert 0 < (whole - expected).norm() / expected.norm() < 0.003
    # Read at once, in parts or token by token, a prompt leaves and finds the same numbers.
    parts = Session(decoder, kept=torch.float16)
    cut = [ids[:11], ids[11:12], ids[12:30], *[[token] for token in ids[30:]]]
    found = torch.cat([parts.step({0: part}, all_logits=True) for part in cut])
    torch.testing.assert_close(found, whole, atol=3e-3, rtol=3e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_runs_in_int8(
    family: str, tiny: Callable[[str], Tiny], prompt: list[int]
) -> None:
    checkpoint = tiny(family)
    found = Session(checkpoint.load(quantization="int8")).step({0: prompt}, all_logits=True)
    expected = checkpoint.logits(prompt)
    # So narrow a model rounds coarsely; a mistake would leave nothing in common.
    assert (found - expected).norm() / expected.norm() < 0.25
