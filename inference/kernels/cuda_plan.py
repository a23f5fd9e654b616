"""What the Triton kernels need to know beforehand: plain tensors and numbers, no Triton."""

from dataclasses import dataclass

import torch
from torch import Tensor

# Fewer tokens than this are not worth a program of their own.
MIN_SPLIT = 128
MAX_SPLITS = 32
# Rows from which grouped products beat the fused kernel; `gpu_check` prints both sides of it.
GROUPED_FROM = 512


def split_count(programs: int, context: int, processors: int) -> int:
    """Parts per context that fill the device about twice; 1 when the batch already does."""
    wanted = -(-2 * processors // max(programs, 1))
    return max(1, min(wanted, MAX_SPLITS, -(-context // MIN_SPLIT)))


def key_parts(width: int) -> tuple[int, int]:
    """A key's width as a power of two and what remains, rounded up to one (at least 16)."""
    main = 1 << (width.bit_length() - 1)
    rest = width - main
    return main, 0 if rest == 0 else max(16, 1 << (rest - 1).bit_length())


@dataclass(frozen=True, slots=True)
class ExpertBlocks:
    """(token, choice) pairs in expert order, cut into blocks of one expert each.

    order [P] int64; experts, first, end [B]: block b holds order[first[b] : end[b]], and blocks
    beyond the last are empty. B depends on shapes alone: the device is never waited for.
    """

    order: Tensor
    experts: Tensor
    first: Tensor
    end: Tensor


def expert_blocks(chosen: Tensor, experts: int, rows: int) -> ExpertBlocks:
    """Blocks of at most `rows` pairs from chosen [T, k]."""
    flat = chosen.flatten()
    order = flat.argsort(stable=True)
    counts = torch.zeros(experts, dtype=torch.int64, device=flat.device)
    counts.scatter_add_(0, flat, torch.ones_like(flat))
    ends = counts.cumsum(0)
    blocks = (counts + rows - 1) // rows
    block_ends = blocks.cumsum(0)
    most = min(flat.numel(), experts) + flat.numel() // rows
    number = torch.arange(most, device=flat.device)
    expert = torch.searchsorted(block_ends, number, right=True).clamp(max=experts - 1)
    first = ends[expert] - counts[expert] + (number - block_ends[expert] + blocks[expert]) * rows
    end = torch.minimum(first + rows, ends[expert])
    return ExpertBlocks(order, expert, first, end)
