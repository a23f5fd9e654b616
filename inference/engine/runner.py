"""The slices of a step as tensors, through the model, to sampled tokens."""

from collections.abc import Sequence as Slices
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from inference.engine.request import Sampled, Sequence
from inference.engine.sampler import Draw, Row, placed, tokens_draw
from inference.engine.scheduler import Slice
from inference.model.batch import StepBatch


class Model(Protocol):
    def forward(self, batch: StepBatch, cache: Any) -> Tensor:
        """Float32 logits [R, V] of the rows in `batch.logit_index`."""
        ...


class Flight:
    """A step that was launched. On a GPU it may still be running."""

    def __init__(self, slices: Slices[Slice], draw: Draw | None) -> None:
        self._slices = slices
        self._draw = draw
        self._landed: torch.cuda.Event | None = None
        self._host = draw.tokens if draw is not None else torch.empty(0, dtype=torch.int64)
        if self._host.is_cuda:
            # Copied at once, in front of the next step: a later copy would wait for that too.
            pinned = torch.empty(self._host.shape, dtype=self._host.dtype, pin_memory=True)
            self._host = pinned.copy_(self._host, non_blocking=True)
            self._landed = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._landed.record()

    def result(self) -> list[Sampled]:
        """One result per slice, in order; slices that end inside a prompt give nothing."""
        if self._landed is not None:
            self._landed.synchronize()
        tokens: list[int] = self._host.tolist()
        logprobs = self._draw.logprobs(tokens) if self._draw is not None else []
        results, at = [], 0
        for part in self._slices:
            upto = at + (1 + len(part.guesses) if part.samples else 0)
            results.append(Sampled(tokens[at:upto], logprobs[at:upto]))
            at = upto
        return results


@dataclass(frozen=True, slots=True)
class Feed:
    """Ids the host does not know yet: batch rows, and where the last step's draw has them."""

    rows: list[int]
    sources: list[int]


class Runner:
    """Owns the model, its cache and the device they are on. `overlaps` says that a step goes on
    by itself once launched."""

    def __init__(
        self, model: Model, cache: Any, *, block_size: int, device: str | torch.device = "cpu"
    ) -> None:
        self._model = model
        self._cache = cache
        self._block_size = block_size
        self._device = torch.device(device)
        # The rows of the last step by sequence, and its tokens on the device.
        self._last_rows: dict[Sequence, int] = {}
        self._last_tokens: Tensor | None = None
        self.overlaps = self._device.type == "cuda"

    def launch(self, slices: Slices[Slice]) -> Flight:
        """Start a step; what earlier steps drew may still be on the device."""
        return Flight(slices, self.compute(*self.prepare(slices)))

    def prepare(self, slices: Slices[Slice]) -> tuple[StepBatch, Feed, list[Row]]:
        """The host's part of a step."""
        batch, feed = self.pack(slices)
        rows = [row for part in slices for row in _rows(part)]
        self._last_rows = {row.sequence: n for n, row in enumerate(rows)}
        return batch, feed, rows

    @torch.inference_mode()
    def compute(self, batch: StepBatch, feed: Feed, rows: list[Row]) -> Draw | None:
        """The device's part."""
        if feed.rows:
            assert self._last_tokens is not None  # noqa: S101 - a token is in flight
            rows_fed, sources = placed(feed.rows, self._device), placed(feed.sources, self._device)
            batch.token_ids[rows_fed] = self._last_tokens[sources]
        logits = self._model.forward(batch, self._cache)
        if not rows:
            return None
        draw = tokens_draw(logits, rows)
        self._last_tokens = draw.tokens
        return draw

    def pack(self, slices: Slices[Slice]) -> tuple[StepBatch, Feed]:
        counts = np.array([part.tokens for part in slices], dtype=np.int64)
        starts = np.array([part.start for part in slices], dtype=np.int64)
        total, firsts = int(counts.sum()), np.cumsum(counts) - counts
        width = max(len(part.sequence.blocks) for part in slices)
        tables = np.zeros((len(slices), width), dtype=np.int32)
        ids = np.empty(total, dtype=np.int64)
        wanted: list[int] = []
        feed = Feed([], [])
        for n, part in enumerate(slices):
            blocks, first = part.sequence.blocks, int(firsts[n])
            # frombuffer copies nothing; the view must not outlive this line, or the sequence
            # could not grow its list.
            tables[n, : len(blocks)] = np.frombuffer(blocks, dtype=np.int32)
            own = part.end - part.start
            known = part.sequence.ids[part.start : part.end]
            ids[first : first + len(known)] = known
            if len(known) < own:
                ids[first + own - 1] = 0
                feed.rows.append(first + own - 1)
                feed.sources.append(self._last_rows[part.sequence])
            ids[first + own : first + part.tokens] = part.guesses
            if part.samples:
                wanted.extend(range(first + own - 1, first + part.tokens))
        owners = np.repeat(np.arange(len(slices)), counts)
        positions = starts[owners] + np.arange(total) - firsts[owners]
        blocks_of = tables[owners, positions // self._block_size].astype(np.int64)
        slots = blocks_of * self._block_size + positions % self._block_size
        # One transfer for all of the token rows.
        packed = self._to_device(np.stack([ids, positions, slots]))
        contexts = starts + counts
        batch = StepBatch(
            token_ids=packed[0],
            positions=packed[1],
            slots=packed[2],
            context_lens=self._to_device(contexts),
            block_tables=self._to_device(tables),
            logit_index=self._to_device(np.array(wanted, dtype=np.int64)),
            lengths=tuple(zip(counts.tolist(), contexts.tolist(), strict=True)),
        )
        return batch, feed

    def _to_device(self, values: np.ndarray[Any, Any]) -> Tensor:
        host = torch.from_numpy(values)
        # From pinned memory, or the copy would wait for the device.
        host = host.pin_memory() if self._device.type == "cuda" else host
        return host.to(self._device, non_blocking=True)


def _rows(part: Slice) -> list[Row]:
    if not part.samples:
        return []
    if not part.guesses:
        return [Row(part.sequence)]
    return [Row(part.sequence, tuple(part.guesses[:n])) for n in range(len(part.guesses) + 1)]
