"""Metamorphic tests: however the work is cut, the answer is the same, and so is the count."""

import random

import numpy as np
import pytest

from inference.engine.grammar import GrammarRefused
from inference.engine.reasoning import Reasoning
from inference.engine.request import Counts, FinishReason, Priority, Sampling, State

PROMPT = list(b"the deposit is returned within thirty days")
SEEDED = Sampling(temperature=0.9, top_p=0.95, seed=7)
SAMPLINGS = {
    "greedy": Sampling(temperature=0.0),
    "plain": Sampling(temperature=0.8, seed=3),
    "truncated": SEEDED,
    "penalised": Sampling(
        temperature=1.1,
        top_k=40,
        min_p=0.01,
        seed=11,
        presence_penalty=0.5,
        frequency_penalty=0.3,
        repetition_penalty=1.2,
        logit_bias={5: 2.0, 9: -100.0},
    ),
}


@pytest.fixture(params=SAMPLINGS)
def sampling(request: pytest.FixtureRequest) -> Sampling:
    return SAMPLINGS[request.param]


@pytest.fixture
def alone(bench, output_of, sampling) -> list[int]:
    one = bench(step_tokens=512)
    request = one.ask(PROMPT, tokens=24, sampling=sampling)
    one.run()
    return output_of(request)


def test_a_chunked_prompt_gives_the_same(bench, output_of, sampling, alone) -> None:
    chunked = bench(step_tokens=16)
    request = chunked.ask(PROMPT, tokens=24, sampling=sampling)
    chunked.run()
    assert output_of(request) == alone
    assert len(chunked.heard.steps) > 24


def test_a_cached_prompt_gives_the_same(bench, output_of, sampling, alone) -> None:
    cached = bench()
    for _ in range(2):
        request = cached.ask(PROMPT, tokens=24, sampling=sampling)
        cached.run()
    assert output_of(request) == alone
    assert request.counts.in_hit == 40
    assert request.counts.in_miss == len(PROMPT) - 40


def test_a_batch_gives_the_same(bench, output_of, sampling, alone) -> None:
    together = bench(blocks=200)
    for n in range(5):
        together.ask(PROMPT[: 5 + n], tokens=7 + n, sampling=SEEDED, tenant=str(n))
    request = together.ask(PROMPT, tokens=24, sampling=sampling)
    for n in range(5):
        together.ask(PROMPT[n:], tokens=40, sampling=Sampling(seed=n, temperature=1.0))
    together.run()
    assert output_of(request) == alone
    assert max(tokens for tokens, _ in together.heard.steps) > 1


def test_a_preempted_sequence_gives_the_same(bench, output_of, sampling, alone) -> None:
    tight = bench(blocks=24)
    request = tight.ask(PROMPT, tokens=24, sampling=sampling, priority=Priority.BATCH)
    for n in range(3):
        tight.ask(PROMPT[n + 1 :], tokens=24, sampling=SEEDED)
    tight.run()
    assert request.sequences[0].preemptions > 0
    assert output_of(request) == alone
    assert request.counts.in_hit + request.counts.in_miss == len(PROMPT)


def test_guessing_gives_the_same(bench, output_of, sampling) -> None:
    outputs, steps = [], []
    for guesses in (0, 5):
        one = bench(guesses=guesses, memory=1)
        request = one.ask(b"abcabcabc", tokens=60, sampling=sampling)
        one.run()
        outputs.append(output_of(request))
        steps.append(len(one.heard.steps))
        assert request.counts.out == 60
    assert outputs[0] == outputs[1]
    if sampling.is_greedy:
        assert steps[1] < steps[0]


def test_guessing_stops_above_its_batch_threshold(bench) -> None:
    one = bench(guesses=4, guess_below=1, memory=1, blocks=128)
    for _ in range(2):
        one.ask(b"abcabcabc", tokens=40)
    one.run()
    assert all(tokens <= 18 for tokens, _ in one.heard.steps[:40])
    assert max(tokens for tokens, _ in one.heard.steps[1:40]) <= 2


def test_choices_differ_and_count_their_prompt_once(bench, output_of) -> None:
    one = bench()
    request = one.ask(PROMPT, tokens=10, sampling=SEEDED, choices=4)
    one.run()
    outputs = [output_of(request, n) for n in range(4)]
    assert len({tuple(ids) for ids in outputs}) == 4
    assert request.counts.in_hit + request.counts.in_miss == len(PROMPT)
    assert request.counts.out == 40
    assert one.heard.finished == [request]


def test_a_stop_string_ends_the_text_and_its_token_is_counted(bench) -> None:
    one = bench(memory=2)
    free = one.ask(b"abc", tokens=30, sampling=SEEDED)
    one.run()
    text = one.text(free)
    stop = text[6:9]
    stopped = one.ask(b"abc", tokens=30, sampling=SEEDED, stops=(stop,), ignore_eos=True)
    one.run()
    assert one.text(stopped) == text[: text.index(stop)]
    assert one.end(stopped) is FinishReason.STOP
    assert stopped.counts.out < free.counts.out
    assert stopped.counts.out == stopped.sequences[0].sampled


def test_eos_ends_the_text_is_counted_and_not_shown(bench) -> None:
    one = bench()
    one.model.eos_bias = 100.0
    request = one.ask(PROMPT, tokens=9, ignore_eos=False)
    one.run()
    assert (one.end(request), one.text(request)) == (FinishReason.STOP, "")
    assert request.counts.out == 1
    ignoring = one.ask(PROMPT, tokens=9, ignore_eos=True)
    one.run()
    assert (one.end(ignoring), ignoring.counts.out) == (FinishReason.LENGTH, 9)


class Script:
    """A grammar that allows one text only."""

    def __init__(self, text: bytes) -> None:
        self.left = list(text)

    def allowed(self, vocabulary: int) -> np.ndarray:
        mask = np.zeros(vocabulary, dtype=np.bool_)
        mask[self.left[0] if self.left else 256] = True
        return mask

    def accept(self, token: int) -> None:
        if token == 33:
            raise GrammarRefused("no exclamation")
        self.left.pop(0)

    @property
    def is_over(self) -> bool:
        return not self.left


class Scripts:
    def check(self, source: str) -> None:
        raise NotImplementedError

    def start(self, source: str) -> Script:
        if source == "bad":
            raise GrammarRefused("bad grammar")
        return Script(source.encode())


@pytest.fixture
def scripted(bench):
    return bench(grammars=Scripts())


@pytest.mark.parametrize("limits", [{}, {"step_tokens": 16, "guesses": 3}])
def test_thoughts_are_split_from_the_answer_and_counted(bench, limits) -> None:
    one = bench(**limits)
    script = "<think>\nwhy\n</think>\n\n是的"
    one.model.script = (len(PROMPT), script.encode())
    request = one.ask(PROMPT, tokens=99, reasoning=Reasoning.AUTO, ignore_eos=False)
    one.run()
    assert (one.thoughts(request), one.text(request)) == ("why\n", "是的")
    assert request.counts.out == len(script.encode()) + 1
    assert request.counts.reasoning == len("<think>\nwhy\n</think>")


def test_an_answer_without_thoughts_counts_none(scripted) -> None:
    request = scripted.ask(PROMPT, tokens=99, grammar="<thus>", reasoning=Reasoning.AUTO)
    scripted.run()
    assert (scripted.text(request), request.counts.reasoning) == ("<thus>", 0)


def test_a_grammar_waits_for_the_end_of_the_thoughts(bench) -> None:
    one = bench(grammars=Scripts())
    one.model.script = (len(PROMPT), b"why</think>")
    request = one.ask(PROMPT, tokens=99, grammar="yes", reasoning=Reasoning.OPENED)
    one.run()
    assert (one.thoughts(request), one.text(request)) == ("why", "yes")


def test_a_grammar_that_fails_ends_its_request_with_an_error(scripted) -> None:
    bad = scripted.ask(PROMPT, grammar="bad")
    broken = scripted.ask(PROMPT, grammar="hi!", choices=2)
    good = scripted.ask(PROMPT, grammar="hi")
    scripted.run()
    assert scripted.end(bad) is scripted.end(broken) is FinishReason.ERROR
    assert bad.failure == "bad grammar"
    assert scripted.text(good) == "hi"
    assert set(scripted.heard.finished) == {bad, broken, good}


def test_an_abort_ends_the_work_before_the_next_step(bench) -> None:
    one = bench()
    request = one.ask(PROMPT, tokens=50)
    for _ in range(5):
        one.engine.turn()
    done = request.counts.out
    assert 0 < done < 50
    one.engine.abort(request)
    steps = len(one.heard.steps)
    one.run()
    assert len(one.heard.steps) == steps
    assert (one.end(request), request.counts.out) == (FinishReason.CANCELLED, done)
    assert one.heard.deltas[-1][1].finish_reason is FinishReason.CANCELLED
    one.engine.abort(request)
    one.run()
    assert one.heard.finished == [request]


def test_a_request_aborted_inside_its_prompt_counts_what_was_computed(bench) -> None:
    one = bench(step_tokens=16)
    request = one.ask(PROMPT, tokens=5)
    one.engine.turn()
    one.engine.abort(request)
    one.run()
    assert request.counts == Counts(in_miss=16, busy_us=request.counts.busy_us)


def test_a_failing_step_fails_its_own_requests_only(bench) -> None:
    one = bench(sequences=2)
    one.model.fails_on = 200
    bad, also = one.ask([200, 1, 2]), one.ask(PROMPT)
    later = one.ask(PROMPT)
    one.run()
    assert one.end(bad) is one.end(also) is FinishReason.ERROR
    assert one.end(later) is FinishReason.LENGTH
    assert bad.counts.out == 0


def test_tenants_with_other_salts_share_nothing(bench) -> None:
    one = bench()
    for salt, hits in ((b"a", 0), (b"b", 0), (b"a", 40)):
        request = one.ask(PROMPT, salt=salt)
        one.run()
        assert request.counts.in_hit == hits


def test_logprobs_are_of_the_model_and_in_order(bench) -> None:
    one = bench()
    request = one.ask(PROMPT, tokens=5, sampling=Sampling(temperature=0.0, top_logprobs=3))
    one.run()
    found = [entry for r, d in one.heard.deltas if r is request for entry in d.logprobs]
    assert [entry.token for entry in found] == list(request.sequences[0].ids[-5:])
    for entry in found:
        assert len(entry.top) == 3
        assert entry.top[0] == (entry.token, entry.logprob)
        assert entry.top[0][1] >= entry.top[1][1] >= entry.top[2][1]


@pytest.mark.parametrize("options", [{"guesses": 3, "guess_below": 3}, {"overlaps": True}])
@pytest.mark.slow
def test_everything_counted_adds_up_after_a_wild_mix(bench, options) -> None:
    dice = random.Random(5)
    one = bench(blocks=24, memory=3, tenant_sequences=4, **options)
    for n in range(200):
        request = one.ask(
            [dice.randrange(256) for _ in range(dice.randint(1, 40))] if n % 3 else PROMPT,
            tokens=dice.randint(1, 25),
            sampling=Sampling(temperature=dice.choice([0.0, 1.0]), seed=n),
            tenant=dice.choice("abc"),
            salt=dice.choice([b"a", b"b"]),
            priority=dice.choice(list(Priority)),
            choices=dice.choice([1, 1, 2]),
        )
        if n % 4 == 0:
            for _ in range(dice.randrange(6)):
                one.engine.turn()
            one.engine.abort(request)
        if n % 50 == 7:
            one.model.fails_on = 200
        if n % 50 == 20:
            one.model.fails_on = None
        one.pool.check_integrity()
    one.run()
    total = Counts()
    assert len(one.heard.finished) == len(set(one.heard.finished)) == 200
    for request in one.heard.finished:
        total.add(request.counts)
        assert request.is_finished
        if all(s.finish_reason is FinishReason.LENGTH for s in request.sequences):
            assert request.counts.in_hit + request.counts.in_miss == request.prompt_tokens
            assert request.counts.out == sum(s.sampled for s in request.sequences)
    assert total == one.engine.counts
    # A step in which everyone had ended is nobody's.
    assert total.busy_us == sum(busy for tokens, busy in one.heard.steps if tokens)
    assert one.scheduler.preemptions > 0


def test_a_stopped_engine_leaves_nothing_open(bench) -> None:
    one = bench()
    running, waiting = one.ask(PROMPT, tokens=50), one.ask(PROMPT, tokens=50)
    one.engine.turn()
    one.engine.stop()
    one.run()
    assert {r.sequences[0].state for r in (running, waiting)} == {State.FINISHED}
    assert len(one.heard.finished) == 2
