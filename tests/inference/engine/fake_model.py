"""A model whose next token depends on every cached token before it, and a byte tokenizer."""

import threading
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

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
        # Cleared, it holds back every step.
        self.gate = threading.Event()
        self.gate.set()
        self.eos_bias = 0.0
        # (prompt length, text): every row then wants the next byte of the text, at last EOS.
        self.script: tuple[int, bytes] | None = None

    def forward(self, batch: StepBatch, cache: Any) -> Tensor:
        assert self.gate.wait(timeout=20)
        self.batches.append(batch)
        if self.fails_on is not None and self.fails_on in batch.token_ids.tolist():
            raise RuntimeError("the model broke")
        self.cache[batch.slots] = batch.token_ids * 7919 + batch.positions
        rows = []
        for n, (query, context) in enumerate(batch.lengths):
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


def raw(token: int) -> bytes:
    return bytes([token]) if token < 256 else b""
