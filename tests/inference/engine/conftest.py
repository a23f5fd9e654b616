"""A model whose next token depends on every cached token before it, and a byte tokenizer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from inference.engine.engine import Engine
from inference.engine.kv_blocks import BlockPool
from inference.engine.output import Vocabulary
from inference.engine.request import Delta, Ending, FinishReason, Request, Sampling
from inference.engine.runner import Runner
from inference.engine.scheduler import Scheduler, SchedulerLimits
from inference.model.batch import StepBatch

EOS = 256
WORDS = 257
BLOCK = 4


class FakeModel:
    """Logits from a hash of what lies in the cache under the sequence's block table.

    A token read from a wrong slot, left over from another sequence or not yet written changes
    every later token. `memory` limits the hash to the last tokens, which makes text repeat.
    """

    def __init__(self, blocks: int, memory: int | None = None) -> None:
        self.cache = torch.full((blocks * BLOCK,), -1, dtype=torch.int64)
        self.memory = memory
        self.batches: list[StepBatch] = []
        self.fails_on: int | None = None
        self.eos_bias = 0.0
        # (prompt length, text): every row then wants the next byte of the text, at last EOS.
        self.script: tuple[int, bytes] | None = None

    def forward(self, batch: StepBatch, cache: Any) -> Tensor:
        self.batches.append(batch)
        if self.fails_on is not None and self.fails_on in batch.token_ids.tolist():
            raise RuntimeError("the model broke")
        self.cache[batch.slots] = batch.token_ids * 7919 + batch.positions
        rows = []
        for n, (query, context) in enumerate(batch.host_lengths()):
            places = torch.arange(context)
            slots = batch.block_tables[n].long()[places // BLOCK] * BLOCK + places % BLOCK
            values = self.cache[slots] - places
            for position in range(context - query, context):
                rows.append(self._hash(values[: position + 1]))
        hashes = torch.tensor(rows)[batch.logit_index]
        mixed = hashes[:, None] * 40503 + torch.arange(1, WORDS + 1) * 2654435761
        mixed = (mixed ^ (mixed >> 15)) * 2246822519 % 2**31
        logits = (mixed ^ (mixed >> 13)).remainder(1 << 20).float() / (1 << 18)
        logits[:, EOS] += self.eos_bias
        if self.script is not None:
            prompt, text = self.script
            for row, position in zip(logits, batch.positions[batch.logit_index], strict=True):
                at = int(position) - prompt + 1
                row[text[at] if at < len(text) else EOS] += 100.0
        return logits

    def _hash(self, values: Tensor) -> int:
        seen = values[-self.memory :] if self.memory else values
        weights = torch.arange(1, len(seen) + 1) * 2 + 1
        return int((seen * weights).sum() % (2**31 - 1))


class NoCache:
    """The fake model keeps its own."""


def decode(ids: Sequence[int]) -> str:
    return bytes(token for token in ids if token < 256).decode("utf-8", "replace")


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


class Bench:
    """An engine without threads: `run` turns it until it has nothing to do."""

    def __init__(
        self, *, blocks: int = 64, memory: int | None = None, grammars: Any = None, **limits: Any
    ) -> None:
        self.model = FakeModel(blocks, memory)
        self.heard = Heard()
        self.pool = BlockPool(blocks, BLOCK)
        self.scheduler = Scheduler(
            self.pool, SchedulerLimits(**{"step_tokens": 32, "sequences": 8} | limits)
        )
        self.now = 0.0
        self.engine = Engine(
            Runner(self.model, NoCache(), block_size=BLOCK),
            self.scheduler,
            Vocabulary(decode=decode, eos=frozenset({EOS}), grammars=grammars),
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
