"""Decode steps as captured CUDA graphs: some 700 small kernels cost one launch.

A step of single tokens is padded to one of a few sizes and its longest context to a power of
two; each pair is captured when it comes up the second time, so that nothing is captured for
nothing and the first token waits for no capture. Padding rows read and write a block of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from inference.model.batch import StepBatch

SIZES = (1, 2, 4, 8, *range(16, 257, 16))
LEAST_CONTEXT = 512
# Runs of the step before a capture, which sets up what must not happen inside it.
WARM_UPS = 2

# A step over fixed tensors -> a call that runs it again, and the tensor its result lies in.
Capture = Callable[[Callable[[], Tensor]], tuple[Callable[[], None], Tensor]]


class Model(Protocol):
    def forward(self, batch: StepBatch, cache: Any) -> Tensor: ...


def graph_size(lengths: tuple[tuple[int, int], ...], wanted: int) -> tuple[int, int] | None:
    """(sequences, context) of the graph for a step of (query, context) lengths, None when it
    cannot be one: prompts and guesses have shapes of their own."""
    if wanted != len(lengths) or any(query != 1 for query, _ in lengths):
        return None
    size = next((size for size in SIZES if size >= len(lengths)), None)
    longest = max(context for _, context in lengths)
    context = max(LEAST_CONTEXT, 1 << (longest - 1).bit_length())
    return None if size is None else (size, context)


@dataclass(frozen=True, slots=True)
class Graph:
    """A captured step and the tensors it reads."""

    batch: StepBatch
    replay: Callable[[], None]
    logits: Tensor

    def run(self, batch: StepBatch, spare: int, block_size: int) -> Tensor:
        """Logits [R, V] of a smaller step; the next run overwrites them."""
        count, width = batch.block_tables.shape
        own = self.batch
        width = min(width, own.block_tables.shape[1])
        own.block_tables[:count, :width].copy_(batch.block_tables[:, :width])
        own.block_tables[count:, 0] = spare
        for name, padding in (
            ("token_ids", 0),
            ("positions", 0),
            ("slots", spare * block_size),
            ("context_lens", 1),
        ):
            fixed = getattr(own, name)
            fixed[:count].copy_(getattr(batch, name))
            fixed[count:] = padding
        self.replay()
        return self.logits[:count]


class GraphedModel:
    """A model whose decode steps are captured. The cache's last block must be spare."""

    def __init__(self, model: Model, *, block_size: int, capture: Capture | None = None) -> None:
        self._model = model
        self._block_size = block_size
        self._capture = capture or CudaCapture()
        self._seen: set[tuple[int, int]] = set()
        self.graphs: dict[tuple[int, int], Graph] = {}

    def forward(self, batch: StepBatch, cache: Any) -> Tensor:
        """Logits [R, V]; those of a captured step are overwritten by the next one."""
        key = graph_size(batch.lengths, len(batch.logit_index))
        if key is None:
            return self._model.forward(batch, cache)
        if key not in self.graphs:
            if key not in self._seen:
                self._seen.add(key)
                return self._model.forward(batch, cache)
            self.graphs[key] = self._captured(key, batch.token_ids.device, cache)
        return self.graphs[key].run(batch, cache.num_blocks - 1, self._block_size)

    def _captured(self, key: tuple[int, int], device: torch.device, cache: Any) -> Graph:
        size, context = key
        spare = cache.num_blocks - 1

        def filled(*shape: int, value: int = 0, dtype: torch.dtype = torch.int64) -> Tensor:
            return torch.full(shape, value, device=device, dtype=dtype)

        batch = StepBatch(
            token_ids=filled(size),
            positions=filled(size),
            slots=filled(size, value=spare * self._block_size),
            context_lens=filled(size, value=1),
            block_tables=filled(size, context // self._block_size, value=spare, dtype=torch.int32),
            logit_index=torch.arange(size, device=device),
            lengths=((1, context),) * size,
        )
        replay, logits = self._capture(lambda: self._model.forward(batch, cache))
        return Graph(batch, replay, logits)


class CudaCapture:
    """Captures into one memory pool: steps run one at a time."""

    def __init__(self) -> None:
        self._pool: Any = None

    def __call__(self, step: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            logits = step()
        self._pool = self._pool or graph.pool()
        return graph.replay, logits
