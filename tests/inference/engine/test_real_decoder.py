"""The same metamorphic tests with real attention, and transformers as the judge of the text."""

from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from inference.engine.engine import Engine
from inference.engine.kv_blocks import BlockPool
from inference.engine.output import Vocabulary
from inference.engine.request import Ending, Priority, Request, Sampling
from inference.engine.runner import Runner
from inference.engine.scheduler import Scheduler, SchedulerLimits
from inference.model.cache import KvCache
from tests.inference.engine.conftest import Heard
from tests.inference.model.conftest import Tiny, tiny_save

FAMILIES = ["qwen3-moe", "deepseek-v3", "gpt-oss"]
BLOCK = 8
PROMPT = [(n * 37 + 11) % 96 for n in range(45)]
TOKENS = 24
SAMPLING = {
    "greedy": Sampling(temperature=0.0),
    "seeded": Sampling(temperature=0.8, top_p=0.9, seed=4),
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=FAMILIES)
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return tiny_save(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def decoder(tiny: Tiny) -> Any:
    return tiny.load()


class Host:
    """An engine around a real decoder."""

    def __init__(self, decoder: Any, blocks: int = 64, **limits: int) -> None:
        self.pool = BlockPool(blocks, BLOCK)
        self.cache = KvCache(decoder.spec, blocks, BLOCK, "cpu", torch.float32)
        limits = {"step_tokens": 128, "sequences": 8} | limits
        self.engine = Engine(
            Runner(decoder, self.cache, block_size=BLOCK),
            Scheduler(self.pool, SchedulerLimits(**limits)),
            Vocabulary(lambda ids: "", lambda token: b"", frozenset()),
            Heard(),
        )

    def ask(self, prompt: list[int], **fields: Any) -> Request:
        sampling = fields.pop("sampling", SAMPLING["greedy"])
        request = Request("r", [prompt], sampling, Ending(max_tokens=TOKENS), **fields)
        self.engine.submit(request)
        return request

    def run(self) -> None:
        while self.engine.turn():
            pass
        self.pool.check_integrity()
        assert self.pool.used == 0


@pytest.fixture
def host(decoder: Any) -> Callable[..., Host]:
    return lambda **options: Host(decoder, **options)


def output(request: Request) -> "array[int]":
    return request.sequences[0].ids[len(request.prompts[0]) :]


@pytest.fixture(params=SAMPLING)
def sampling(request: pytest.FixtureRequest) -> Sampling:
    return SAMPLING[request.param]


@pytest.fixture
def alone(host: Callable[..., Host], sampling: Sampling) -> "array[int]":
    one = host()
    request = one.ask(PROMPT, sampling=sampling)
    one.run()
    return output(request)


def test_greedy_text_is_that_of_transformers(host, tiny: Tiny) -> None:
    one = host(step_tokens=16)
    request = one.ask(PROMPT)
    one.run()
    assert output(request).tolist() == tiny.greedy(PROMPT, TOKENS)


def test_chunked_and_cached_prompts_give_the_same(host, sampling, alone) -> None:
    one = host(step_tokens=16)
    for hits in (0, 40):
        request = one.ask(PROMPT, sampling=sampling)
        one.run()
        assert output(request) == alone
        assert request.counts.in_hit == hits


def test_a_batch_with_preemptions_gives_the_same(host, sampling, alone) -> None:
    one = host(blocks=20)
    request = one.ask(PROMPT, sampling=sampling, priority=Priority.BATCH)
    for n in range(1, 5):
        one.ask(PROMPT[n:], sampling=Sampling(seed=n), priority=Priority.INTERACTIVE)
    one.run()
    assert request.sequences[0].preemptions > 0
    assert output(request) == alone


def test_guesses_give_the_same(host, sampling, alone) -> None:
    one = host(guesses=4)
    request = one.ask(PROMPT, sampling=sampling)
    repeated = one.ask(PROMPT[:5] * 8, sampling=sampling)
    one.run()
    assert output(request) == alone
    plain = host()
    again = plain.ask(PROMPT[:5] * 8, sampling=sampling)
    plain.run()
    assert output(again) == output(repeated)
