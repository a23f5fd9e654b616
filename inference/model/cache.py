"""The paged cache of keys and values: fixed blocks of tokens, one tensor pair per layer."""

import torch
from torch import Tensor

from inference.model.spec import ModelSpec


def bytes_per_block(spec: ModelSpec, block_size: int, dtype: torch.dtype) -> int:
    """Memory one block takes over all layers."""
    return block_size * spec.layers * spec.cache_width * dtype.itemsize


class KvCache:
    """Keys and values by block.

    Grouped attention: `keys[i]`, `values[i]` are [num_blocks, block_size, kv_heads, head_dim].
    Latent attention: `keys[i]` is [num_blocks, block_size, 1, kv_rank + rope_dim] and `values[i]`
    its first kv_rank columns, a view: nothing is stored twice.
    """

    def __init__(
        self,
        spec: ModelSpec,
        num_blocks: int,
        block_size: int,
        device: torch.device | str,
        dtype: torch.dtype,
    ) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size
        heads = 1 if spec.mla else spec.kv_heads
        width = spec.cache_width if spec.mla else spec.head_dim
        shape = (num_blocks, block_size, heads, width)
        self.keys = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(spec.layers)]
        if spec.mla:
            self.values = [layer[..., : spec.mla.kv_rank] for layer in self.keys]
        else:
            self.values = [torch.zeros_like(layer) for layer in self.keys]

    def rounded(self, states: Tensor) -> Tensor:
        """States as they come out of the cache again."""
        return states.to(self.keys[0].dtype).to(states.dtype)


def pages_write(pages: Tensor, slots: Tensor, states: Tensor) -> None:
    """Store states [T, heads, width] at flat slots [T] of one layer's keys or values."""
    pages.view(-1, *pages.shape[2:]).index_copy_(0, slots, states.to(pages.dtype))
