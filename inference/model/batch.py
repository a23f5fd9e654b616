"""What one forward step computes: packed new tokens and where their context lies."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class StepBatch:
    """Sequences packed one after another; prefill chunks and decode rows may be mixed.

    token_ids, positions, slots [T] int64; context_lens [S], which count the new tokens;
    block_tables [S, max_blocks] int32; logit_index [R] rows whose logits are wanted.
    A slot is `block * block_size + offset`. `lengths` repeats (query, context) on the host: to
    read them back a step would have to wait for the device.
    """

    token_ids: Tensor
    positions: Tensor
    slots: Tensor
    context_lens: Tensor
    block_tables: Tensor
    logit_index: Tensor
    lengths: tuple[tuple[int, int], ...]
