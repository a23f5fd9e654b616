"""A step launched before the last one is read back gives what the plain loop gives."""

import random
from typing import Any

import pytest

from inference.engine.request import FinishReason, Priority, Request, Sampling, State
from tests.inference.engine.test_engine import Scripts

PROMPT = bytes(range(60, 101))


def asked(one: Any, dice: random.Random) -> Request:
    """A request of any kind; many need the token before the next step, most do not."""
    options: dict[str, Any] = dice.choice(
        [
            {},
            {},
            {"temperature": 0.0},
            {"top_p": 0.9},
            {"top_k": 5},
            {"top_logprobs": 2},
            {"frequency_penalty": 1.0},
            {"logit_bias": {70: 3.0}},
        ]
    )
    if dice.random() < 0.15:
        return one.ask(PROMPT[: dice.randint(1, 9)], grammar="yes", ignore_eos=False)
    return one.ask(
        PROMPT[: dice.randint(1, 41)] if dice.random() < 0.5 else dice.randbytes(20),
        tokens=dice.randint(1, 25),
        sampling=Sampling(seed=dice.randrange(99), **options),
        choices=dice.choice([1, 1, 2]),
        priority=dice.choice(list(Priority)),
        tenant=dice.choice("abc"),
        ignore_eos=dice.random() < 0.5,
        stops=("a", "e") if dice.random() < 0.2 else (),
    )


def outcome(one: Any, request: Request) -> list[Any]:
    logprobs = [
        (delta.index, entry.token, round(entry.logprob, 4))
        for other, delta in one.heard.deltas
        if other is request
        for entry in delta.logprobs
    ]
    return [
        (list(s.ids), s.finish_reason, one.text(request, s.index)) for s in request.sequences
    ] + sorted(logprobs)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))]
)
@pytest.mark.parametrize(
    "limits",
    [
        {"blocks": 24, "tenant_sequences": 3},
        *(pytest.param(limits, marks=pytest.mark.slow) for limits in ({}, {"step_tokens": 16})),
    ],
)
def test_every_answer_is_that_of_the_plain_loop(bench, seed, limits) -> None:
    found = []
    for overlaps in (False, True):
        dice = random.Random(seed)
        one = bench(overlaps=overlaps, grammars=Scripts(), **limits)
        one.model.eos_bias = 1.0
        requests = []
        for _ in range(20):
            requests.append(asked(one, dice))
            for _ in range(dice.randrange(4)):
                one.engine.turn()
        one.run()
        found.append([outcome(one, request) for request in requests])
        for request in requests:
            counts = request.counts
            assert counts.in_hit + counts.in_miss == request.prompt_tokens
            assert counts.out == sum(sequence.sampled for sequence in request.sequences)
    assert found[0] == found[1]


def test_the_next_step_is_launched_before_the_last_is_read(bench) -> None:
    one = bench(overlaps=True)
    request = one.ask(PROMPT[:9], tokens=5)
    one.run()
    # The fifth token is known to be the last, so no sixth step is launched for it.
    assert one.runner.log == ["launch", *["launch", "read"] * 4, "read"]
    assert request.counts.out == 5


def test_what_follows_a_stop_is_dropped_and_costs_nothing(bench) -> None:
    one = bench(overlaps=True)
    one.model.script = (9, b"ab!cd")
    request = one.ask(PROMPT[:9], tokens=50, stops=("!",))
    one.run()
    assert (one.text(request), one.end(request)) == ("ab", FinishReason.STOP)
    assert (request.counts.out, request.sequences[0].sampled) == (3, 3)
    # One step too many was on its way; nobody is charged for it.
    assert len(one.heard.steps) == 4
    assert request.counts.busy_us == sum(busy for tokens, busy in one.heard.steps if tokens)
    assert one.heard.steps[-1][0] == 0


def test_an_abort_in_flight_drops_the_token_and_frees_the_blocks(bench) -> None:
    one = bench(overlaps=True)
    request = one.ask(PROMPT[:9], tokens=50)
    for _ in range(4):
        one.engine.turn()
    assert request.sequences[0].in_flight == 1
    done = request.counts.out
    assert done == 3
    one.engine.abort(request)
    steps = one.runner.log.count("launch")
    one.run()
    assert one.runner.log.count("launch") == steps
    assert (one.end(request), request.counts.out) == (FinishReason.CANCELLED, done)
    assert request.sequences[0].state is State.FINISHED
    # Its blocks are free at once, and a newcomer that gets them is not disturbed.
    again = one.ask(PROMPT, tokens=12)
    one.run()
    plain = bench()
    expected = plain.ask(PROMPT, tokens=12)
    plain.run()
    assert again.sequences[0].ids == expected.sequences[0].ids


def test_a_step_that_fails_late_fails_its_own_requests_only(bench) -> None:
    one = bench(overlaps=True, sequences=2)
    one.model.fails_on = 200
    bad, also = one.ask([200, 1, 2]), one.ask(PROMPT)
    later = one.ask(PROMPT)
    one.run()
    assert one.end(bad) is one.end(also) is FinishReason.ERROR
    assert one.end(later) is FinishReason.LENGTH
    assert bad.counts.out == also.counts.out == 0
