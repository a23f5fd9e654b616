"""Sampling against the plain definition of each option."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engine import sampler as module
from inference.engine.request import Ending, Request, Sampling
from inference.engine.sampler import Row, noise, tokens_draw

VOCABULARY = 12


def row(sampling: Sampling, prompt: list[int] | None = None, sampled: int = 0) -> Row:
    request = Request("r", [prompt or [1]], sampling, Ending(max_tokens=99))
    sequence = request.sequences[0]
    for n in range(sampled):
        token = n % VOCABULARY
        sequence.ids.append(token)
        sequence.token_counts[token] = sequence.token_counts.get(token, 0) + 1
    return Row(sequence)


def drawn(logits: torch.Tensor, **options: float) -> Counter[int]:
    """What 3,000 seeds draw from one row of logits."""
    rows = [row(Sampling(seed=n, **options)) for n in range(3000)]
    tokens = tokens_draw(logits.repeat(len(rows), 1), rows).tokens.tolist()
    return Counter(tokens)


def test_noise_is_even_and_never_repeats() -> None:
    values = [noise(seed, choice, n) for seed in range(10) for choice in (0, 1) for n in range(50)]
    assert len(set(values)) == len(values)
    assert 0.47 < sum(values) / len(values) < 0.53
    assert 0 <= min(values) < 0.01 < 0.99 < max(values) < 1


def test_each_place_of_an_answer_has_its_own_noise() -> None:
    flat = torch.zeros(40, VOCABULARY)
    tokens = tokens_draw(
        flat, [row(Sampling(seed=3), sampled=n) for n in range(40)]
    ).tokens.tolist()
    assert len(set(tokens)) > VOCABULARY // 2


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_tokens_come_as_often_as_their_probability_says(temperature: float) -> None:
    logits = torch.linspace(-2, 2, VOCABULARY)[None]
    found = drawn(logits, temperature=temperature)
    wanted = torch.softmax(logits[0] / temperature, dim=-1)
    for token in range(VOCABULARY):
        assert abs(found[token] / 3000 - float(wanted[token])) < 0.035


def kept_by_definition(chances: list[float], sampling: Sampling) -> set[int]:
    order = sorted(range(len(chances)), key=lambda n: -chances[n])
    kept, total = set(), 0.0
    for rank, token in enumerate(order):
        is_in = (
            rank < (sampling.top_k or len(chances))
            and total < sampling.top_p
            and chances[token] >= sampling.min_p * chances[order[0]]
        )
        total += chances[token]
        if is_in or rank == 0:
            kept.add(token)
    return kept


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 1},
        {"top_k": 4},
        {"top_p": 0.0},
        {"top_p": 0.6},
        {"min_p": 0.2},
        {"top_k": 7, "top_p": 0.9, "min_p": 0.05},
    ],
)
@pytest.mark.parametrize("candidates", [3, pytest.param(1024, marks=pytest.mark.slow)])
def test_only_what_the_options_keep_is_drawn(options, candidates, monkeypatch) -> None:
    monkeypatch.setattr(module, "CANDIDATES", candidates)
    torch.manual_seed(1)
    logits = torch.randn(1, VOCABULARY)
    chances = torch.softmax(logits[0], dim=-1).tolist()
    wanted = kept_by_definition(chances, Sampling(**options))
    found = drawn(logits, **options)
    assert set(found) <= wanted
    whole = sum(chances[token] for token in wanted)
    for token in wanted:
        assert abs(found[token] / 3000 - chances[token] / whole) < 0.035


def test_penalties_and_bias_move_logits_as_documented() -> None:
    sampling = Sampling(
        temperature=0.0,
        presence_penalty=0.5,
        frequency_penalty=0.25,
        repetition_penalty=2.0,
        logit_bias={7: 3.0},
    )
    logits = torch.ones(1, VOCABULARY)
    logits[0, 2] = -1.0
    one = row(sampling, prompt=[2, 5], sampled=VOCABULARY + 1)
    del one.sequence.token_counts[7], one.sequence.token_counts[5]
    tokens_draw(logits, [one])
    # Token 0 was sampled twice, 3 once; 2 and 5 stand in the prompt, 2 also in the answer.
    assert logits[0, 0] == 1.0 / 2 - 0.5 - 2 * 0.25
    assert logits[0, 3] == 1.0 / 2 - 0.5 - 0.25
    assert logits[0, 2] == -1.0 * 2 - 0.5 - 0.25
    assert logits[0, 5] == 1.0 / 2
    assert logits[0, 7] == 1.0 + 3.0


@settings(max_examples=40, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**40), min_size=2, max_size=6),
    temperatures=st.lists(st.sampled_from([0.0, 0.7, 1.5]), min_size=6, max_size=6),
    top_p=st.lists(st.sampled_from([0.3, 0.9, 1.0]), min_size=6, max_size=6),
)
def test_a_row_is_the_same_alone_and_in_a_batch(seeds, temperatures, top_p) -> None:
    torch.manual_seed(len(seeds))
    logits = torch.randn(len(seeds), 300)
    rows = [
        row(Sampling(seed=seed, temperature=temperatures[n], top_p=top_p[n]))
        for n, seed in enumerate(seeds)
    ]
    together = tokens_draw(logits.clone(), rows).tokens.tolist()
    alone = [
        int(tokens_draw(logits[n : n + 1].clone(), [rows[n]]).tokens) for n in range(len(rows))
    ]
    assert together == alone
