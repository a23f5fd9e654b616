"""An engine around the fake model, turned by hand."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from inference.engine.engine import Engine
from inference.engine.kv_blocks import BlockPool
from inference.engine.output import Vocabulary
from inference.engine.request import Delta, Ending, FinishReason, Request, Sampling
from inference.engine.runner import Flight, Runner
from inference.engine.scheduler import Scheduler, SchedulerLimits, Slice
from tests.inference.engine.fake_model import BLOCK, EOS, FakeModel, NoCache, decode, raw


@dataclass
class Heard:
    """What the engine told its observer, by request."""

    started: list[Request] = field(default_factory=list)
    finished: list[Request] = field(default_factory=list)
    steps: list[tuple[int, int]] = field(default_factory=list)
    deltas: list[tuple[Request, Delta]] = field(default_factory=list)

    def request_started(self, request: Request) -> None:
        self.started.append(request)

    def request_finished(self, request: Request) -> None:
        self.finished.append(request)

    def step_finished(self, tokens: int, busy_us: int) -> None:
        self.steps.append((tokens, busy_us))

    def deliver(self, deltas: Sequence[tuple[Request, Delta]]) -> None:
        self.deltas.extend(deltas)


class LateRunner(Runner):
    """A device that computes as late as it may: a step runs when its result is asked for, by
    when the next one has been packed. `log` tells what happened in which order."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.overlaps = True
        self.log: list[str] = []
        self.waiting: deque[Callable[[], None]] = deque()

    def launch(self, slices: Sequence[Slice]) -> Any:
        self.log.append("launch")
        flight = LateFlight(self)
        batch, feed, rows = self.prepare(slices)

        def work() -> None:
            flight.is_done = True
            try:
                flight.inner = Flight(slices, self.compute(batch, feed, rows))
            except RuntimeError as error:
                flight.failure = error

        self.waiting.append(work)
        return flight


class LateFlight:
    def __init__(self, runner: LateRunner) -> None:
        self.runner = runner
        self.is_done = False
        self.inner: Flight | None = None
        self.failure: RuntimeError | None = None

    def result(self) -> Any:
        self.runner.log.append("read")
        while not self.is_done:
            self.runner.waiting.popleft()()
        if self.inner is None:
            raise RuntimeError("the step failed") from self.failure
        return self.inner.result()


class Bench:
    """An engine without threads: `run` turns it until it has nothing to do."""

    def __init__(
        self,
        *,
        blocks: int = 64,
        memory: int | None = None,
        grammars: Any = None,
        overlaps: bool = False,
        **limits: Any,
    ) -> None:
        self.model = FakeModel(blocks, memory)
        self.heard = Heard()
        self.pool = BlockPool(blocks, BLOCK)
        self.scheduler = Scheduler(
            self.pool, SchedulerLimits(**{"step_tokens": 32, "sequences": 8} | limits)
        )
        self.now = 0.0
        runner = LateRunner if overlaps else Runner
        self.runner = runner(self.model, NoCache(), block_size=BLOCK)
        self.engine = Engine(
            self.runner,
            self.scheduler,
            Vocabulary(decode, raw, frozenset({EOS}), grammars),
            self.heard,
            clock=lambda: self.now,
        )

    def ask(self, prompt: Sequence[int] | str, *, tokens: int = 12, **fields: Any) -> Request:
        ids = list(prompt.encode()) if isinstance(prompt, str) else list(prompt)
        sampling = fields.pop("sampling", Sampling(temperature=0.0))
        stops = fields.pop("stops", ())
        ending = Ending(
            max_tokens=tokens, stops=stops, ignore_eos=fields.pop("ignore_eos", not stops)
        )
        request = Request("r", [ids], sampling, ending, **fields)
        self.engine.submit(request)
        return request

    def run(self, turns: int = 5000) -> None:
        for _ in range(turns):
            if not self.engine.turn():
                break
        else:
            raise AssertionError("the engine never came to rest")
        self.pool.check_integrity()
        assert self.engine.is_idle
        assert self.pool.used == 0

    def text(self, request: Request, index: int = 0) -> str:
        return "".join(d.text for r, d in self.heard.deltas if r is request and d.index == index)

    def thoughts(self, request: Request) -> str:
        return "".join(d.reasoning for r, d in self.heard.deltas if r is request)

    def end(self, request: Request, index: int = 0) -> FinishReason | None:
        return request.sequences[index].finish_reason


def output(request: Request, index: int = 0) -> list[int]:
    sequence = request.sequences[index]
    return sequence.ids[sequence.prompt_len :].tolist()


@pytest.fixture
def bench() -> Callable[..., Bench]:
    return Bench


@pytest.fixture
def output_of() -> Callable[..., list[int]]:
    return output
