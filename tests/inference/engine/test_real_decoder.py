"""The same metamorphic tests with real attention, and transformers as the judge of the text."""

from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from inference.engine.engine import Engine
from inference.engine.kv_blocks import BlockPool
from inference.engine.output import Vocabulary
from inference.engine.request import Ending, Priority, Request, Sampling
from inference.engine.runner import Runner
from inference.engine.scheduler import Scheduler, SchedulerLimits
from inference.kernels.graphs import GraphedModel
from inference.model.cache import KvCache
from tests.inference.engine.conftest import Heard, LateRunner
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


class Captures:
    """Stands in for CUDA: a replay runs the step again over the same tensors, whose results it
    leaves where they were."""

    def __init__(self) -> None:
        self.replays = 0

    def __call__(self, step: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        kept = step().clone()

        def replay() -> None:
            self.replays += 1
            kept.copy_(step())

        return replay, kept


class Host:
    """An engine around a real decoder."""

    def __init__(
        self, decoder: Any, blocks: int = 64, *, overlaps: bool = False, **limits: int
    ) -> None:
        self.pool = BlockPool(blocks, BLOCK)
        self.cache = KvCache(decoder.spec, blocks + 1, BLOCK, "cpu", torch.float32)
        limits = {"step_tokens": 128, "sequences": 8} | limits
        self.capture = Captures()
        self.model = GraphedModel(decoder, block_size=BLOCK, capture=self.capture)
        runner = LateRunner if overlaps else Runner
        self.engine = Engine(
            runner(self.model if overlaps else decoder, self.cache, block_size=BLOCK),
            Scheduler(self.pool, SchedulerLimits(**limits)),
            Vocabulary(lambda ids: "", lambda token: b"", frozenset()),
            Heard(),
        )

    def ask(self, prompt: list[int], **fields: Any) -> Request:
        sampling = fields.pop("sampling", SAMPLING["greedy"])
        ending = Ending(max_tokens=fields.pop("tokens", TOKENS))
        request = Request("r", [prompt], sampling, ending, **fields)
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


def test_graphs_and_overlap_give_the_same(host, sampling, alone) -> None:
    """Padding included: three sequences run as four, then as they end as two and one."""
    one, plain = host(overlaps=True, step_tokens=256), host()
    request = one.ask(PROMPT, sampling=sampling)

    def others(host: Host) -> list[Request]:
        return [host.ask(PROMPT[n:], sampling=Sampling(seed=n), tokens=6 * n) for n in (1, 2)]

    found, expected = others(one), others(plain)
    one.run()
    plain.run()
    assert output(request) == alone
    assert [output(r) for r in found] == [output(r) for r in expected]
    assert set(one.model.graphs) == {(4, 512), (2, 512), (1, 512)}
    # All decode steps but the first of each size, which ran as they were.
    assert one.capture.replays == TOKENS - 1 - 3


def test_padding_writes_to_the_spare_block_only(host) -> None:
    one, plain = host(overlaps=True), host()
    for each in (one, plain):
        for n in range(3):
            each.ask(PROMPT[n:])
        each.run()
    # The first block handed out: a padding row without a place of its own would write there.
    torch.testing.assert_close(one.cache.keys[0][0], plain.cache.keys[0][0])
    used = {n for n, block in enumerate(one.cache.keys[0]) if bool(block.any())}
    assert one.pool.total in used
    # Three contexts of 69 ids at most; what lies behind a request's last id stays untouched.
    assert len(used) - 1 <= 3 * -(-(len(PROMPT) + TOKENS) // BLOCK)
