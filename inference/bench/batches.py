"""Batches made by hand, for measuring and testing a decoder without an engine."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from inference.model.batch import StepBatch


@dataclass(frozen=True, slots=True)
class SequenceChunk:
    """New tokens of one sequence, the first at position `start`; `blocks` hold all of it."""

    token_ids: Sequence[int]
    start: int
    blocks: Sequence[int]
    wants_all_logits: bool = False
    wants_logits: bool = True


def batch_pack(
    chunks: Sequence[SequenceChunk], block_size: int, device: torch.device | str = "cpu"
) -> StepBatch:
    """Pack chunks into one step; logits come in order: the last row, or every row, of each."""
    ids: list[int] = []
    positions: list[int] = []
    slots: list[int] = []
    wanted: list[int] = []
    lengths: list[tuple[int, int]] = []
    width = max(len(chunk.blocks) for chunk in chunks)
    tables: list[list[int]] = []
    for chunk in chunks:
        first, count = len(ids), len(chunk.token_ids)
        ids.extend(chunk.token_ids)
        for position in range(chunk.start, chunk.start + count):
            positions.append(position)
            block = chunk.blocks[position // block_size]
            slots.append(block * block_size + position % block_size)
        if chunk.wants_all_logits:
            wanted.extend(range(first, first + count))
        elif chunk.wants_logits:
            wanted.append(first + count - 1)
        lengths.append((count, chunk.start + count))
        tables.append([*chunk.blocks, *[0] * (width - len(chunk.blocks))])
    return StepBatch(
        token_ids=torch.tensor(ids, dtype=torch.int64, device=device),
        positions=torch.tensor(positions, dtype=torch.int64, device=device),
        slots=torch.tensor(slots, dtype=torch.int64, device=device),
        context_lens=torch.tensor([context for _, context in lengths], device=device),
        block_tables=torch.tensor(tables, dtype=torch.int32, device=device),
        logit_index=torch.tensor(wanted, dtype=torch.int64, device=device),
        lengths=tuple(lengths),
    )
