"""Norm and attention by the C kernels."""

import torch
from torch import Tensor

from inference.kernels.cpu_native import NativeKernels, PagesStruct
from inference.model.cache import pages_write
from inference.model.layers import RmsNorm
from inference.model.paged import DecodeRows, Scoring, decode_reference

# Floats in an AVX2 register.
VECTOR = 8
# What a cache may hold.
KEPT = (torch.float32, torch.float16)


class NativeNorm(RmsNorm):
    """The same norm in one call; float32 only."""

    __slots__ = ("_kernels",)

    def __init__(self, kernels: NativeKernels, weight: Tensor, eps: float) -> None:
        super().__init__(weight.contiguous(), eps)
        self._kernels = kernels

    def __call__(self, states: Tensor) -> Tensor:
        return self._kernels.rms_norm(states, self.weight, self.eps)


class NativeOps:
    """Rotation, writing and single-token attention over a paged cache in float32 or float16."""

    def __init__(self, kernels: NativeKernels) -> None:
        self._kernels = kernels

    def rotate(self, states: Tensor, turned: int, cos: Tensor, sin: Tensor) -> Tensor:
        """Rotate the first heads of [T, heads, dim], in place where they lie together."""
        states = states.contiguous()
        self._kernels.rotate(states, turned, cos, sin)
        return states

    def write(self, pages: Tensor, slots: Tensor, states: Tensor) -> None:
        """In one call where torch converts, then copies by index: this is done for every layer."""
        _, heads, width = states.shape
        is_packed = states.stride()[1:] == (width, 1) and slots.is_contiguous()
        if is_packed and heads * width % VECTOR == 0 and pages.dtype in KEPT:
            self._kernels.cache_write(pages, slots, states)
        else:
            pages_write(pages, slots, states)

    def decode(
        self, query: Tensor, keys: Tensor, values: Tensor, decode: DecodeRows, scoring: Scoring
    ) -> Tensor:
        if query.shape[2] % VECTOR or values.shape[3] % VECTOR or keys.dtype not in KEPT:
            return decode_reference(query, keys, values, decode, scoring)
        tables, lengths = decode.tables.contiguous(), decode.lengths.contiguous()
        pages = PagesStruct(
            keys=keys.data_ptr(),
            values=values.data_ptr(),
            token_stride=keys.stride(1),
            head_stride=keys.stride(2),
            value_token_stride=values.stride(1),
            value_head_stride=values.stride(2),
            block_size=keys.shape[1],
            table_width=tables.shape[1],
            heads=query.shape[1],
            kv_heads=keys.shape[2],
            width=query.shape[2],
            value_width=values.shape[3],
            tables=tables.data_ptr(),
            lengths=lengths.data_ptr(),
            sinks=None if scoring.sinks is None else scoring.sinks.data_ptr(),
            window=scoring.window or 0,
            scale=scoring.scale,
            is_half=keys.dtype == torch.float16,
        )
        return self._kernels.attention(pages, query, decode.max_length)
