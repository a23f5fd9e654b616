"""The slices of a step as tensors, through the model, to sampled tokens."""

from collections.abc import Sequence as Slices
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from inference.engine.request import Sampled
from inference.engine.sampler import Row, tokens_sample
from inference.engine.scheduler import Slice
from inference.model.batch import StepBatch


class Model(Protocol):
    def forward(self, batch: StepBatch, cache: Any) -> Tensor:
        """Float32 logits [R, V] of the rows in `batch.logit_index`."""
        ...


class Runner:
    """Owns the model, its cache and the device they are on."""

    def __init__(
        self, model: Model, cache: Any, *, block_size: int, device: str | torch.device = "cpu"
    ) -> None:
        self._model = model
        self._cache = cache
        self._block_size = block_size
        self._device = torch.device(device)

    def run(self, slices: Slices[Slice]) -> list[Sampled]:
        """One result per slice, in order; slices that end inside a prompt give nothing."""
        batch = self.pack(slices)
        rows = [row for part in slices for row in _rows(part)]
        with torch.inference_mode():
            logits = self._model.forward(batch, self._cache)
            tokens, logprobs = tokens_sample(logits, rows) if rows else ([], [])
        results, at = [], 0
        for part in slices:
            upto = at + (1 + len(part.guesses) if part.samples else 0)
            results.append(Sampled(tokens[at:upto], logprobs[at:upto]))
            at = upto
        return results

    def pack(self, slices: Slices[Slice]) -> StepBatch:
        counts = np.array([part.tokens for part in slices], dtype=np.int64)
        starts = np.array([part.start for part in slices], dtype=np.int64)
        total, firsts = int(counts.sum()), np.cumsum(counts) - counts
        width = max(len(part.sequence.blocks) for part in slices)
        tables = np.zeros((len(slices), width), dtype=np.int32)
        ids = np.empty(total, dtype=np.int64)
        wanted: list[int] = []
        for n, part in enumerate(slices):
            blocks, first = part.sequence.blocks, int(firsts[n])
            # frombuffer copies nothing; the view must not outlive this line, or the sequence
            # could not grow its list.
            tables[n, : len(blocks)] = np.frombuffer(blocks, dtype=np.int32)
            own = part.end - part.start
            ids[first : first + own] = part.sequence.ids[part.start : part.end]
            ids[first + own : first + part.tokens] = part.guesses
            if part.samples:
                wanted.extend(range(first + own - 1, first + part.tokens))
        owners = np.repeat(np.arange(len(slices)), counts)
        positions = starts[owners] + np.arange(total) - firsts[owners]
        blocks_of = tables[owners, positions // self._block_size].astype(np.int64)
        slots = blocks_of * self._block_size + positions % self._block_size
        # One transfer for all of the token rows, one for the lengths.
        packed = self._to_device(np.stack([ids, positions, slots]))
        contexts = starts + counts
        lengths = self._to_device(np.stack([counts, contexts]))
        return StepBatch(
            token_ids=packed[0],
            positions=packed[1],
            slots=packed[2],
            query_lens=lengths[0],
            context_lens=lengths[1],
            block_tables=self._to_device(tables),
            logit_index=self._to_device(np.array(wanted, dtype=np.int64)),
            lengths=tuple(zip(counts.tolist(), contexts.tolist(), strict=True)),
        )

    def _to_device(self, values: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(values).to(self._device, non_blocking=True)


def _rows(part: Slice) -> list[Row]:
    if not part.samples:
        return []
    if not part.guesses:
        return [Row(part.sequence)]
    return [Row(part.sequence, tuple(part.guesses[:n])) for n in range(len(part.guesses) + 1)]
