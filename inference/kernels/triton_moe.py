"""Routed experts on CUDA: fused Triton kernels for few rows, torch's grouped products above.

The fused way reads an expert's weights once per block of rows and never waits for the device,
so a decode step can be captured; the grouped way wins once every expert has many rows.
"""

import torch
import triton  # type: ignore[import-not-found,unused-ignore]
import triton.language as tl  # type: ignore[import-not-found,unused-ignore]
from torch import Tensor
from torch.nn import functional

from inference.kernels.cuda_plan import GROUPED_FROM, ExpertBlocks, expert_blocks
from inference.model.layers import gated
from inference.model.moe import FloatExperts, weighted_sum

ROWS = 16
COLUMNS = 64
DEPTH = 64


class CudaExperts(FloatExperts):
    """The float experts' weights, computed by kernels."""

    def __call__(self, states: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        if states.shape[0] >= GROUPED_FROM and states.dtype == torch.bfloat16:
            return self.grouped(states, weights, chosen)
        return self.fused(states, weights, chosen)

    def fused(self, states: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """states [T, hidden] -> [T, hidden] by the Triton kernels."""
        states = states.contiguous()
        tokens, top_k = chosen.shape
        blocks = expert_blocks(chosen, self.gate_up.shape[0], ROWS)
        inner = self._gate_up(states, blocks, tokens * top_k, top_k)
        pairs = self._down(inner, blocks, weights)
        return pairs.view(tokens, top_k, -1).sum(dim=1)

    def _gate_up(self, states: Tensor, blocks: ExpertBlocks, pairs: int, top_k: int) -> Tensor:
        hidden, width = self.gate_up.shape[2], self.gate_up.shape[1] // 2
        inner = states.new_empty(pairs, width)
        limit, alpha = self.clamp or (0.0, 1.0)
        _gate_up_kernel[(len(blocks.experts), triton.cdiv(width, COLUMNS))](
            states, self.gate_up, self._or(self.gate_up_bias), inner,
            blocks.order, blocks.experts, blocks.first, blocks.end, hidden, width, limit, alpha,
            TOP_K=top_k, HAS_BIAS=self.gate_up_bias is not None, CLAMPS=self.clamp is not None,
            ROWS=ROWS, COLUMNS=COLUMNS, DEPTH=DEPTH, num_warps=4, num_stages=3,
        )  # fmt: skip
        return inner

    def _down(self, inner: Tensor, blocks: ExpertBlocks, weights: Tensor) -> Tensor:
        hidden, width = self.down.shape[1:]
        out = inner.new_empty(len(inner), hidden)
        _down_kernel[(len(blocks.experts), triton.cdiv(hidden, COLUMNS))](
            inner, self.down, self._or(self.down_bias), weights.contiguous(), out,
            blocks.order, blocks.experts, blocks.first, blocks.end, hidden, width,
            HAS_BIAS=self.down_bias is not None,
            ROWS=ROWS, COLUMNS=COLUMNS, DEPTH=DEPTH, num_warps=4, num_stages=3,
        )  # fmt: skip
        return out

    def _or(self, bias: Tensor | None) -> Tensor:
        return self.down if bias is None else bias

    def grouped(self, states: Tensor, weights: Tensor, chosen: Tensor) -> Tensor:
        """The same by `grouped_mm`, bfloat16 only."""
        flat = chosen.flatten()
        order = flat.argsort(stable=True)
        experts = flat[order]
        counts = torch.zeros(self.gate_up.shape[0], dtype=torch.int32, device=flat.device)
        counts.scatter_add_(0, flat, torch.ones_like(flat, dtype=torch.int32))
        ends = counts.cumsum(0, dtype=torch.int32)
        rows = states[order // chosen.shape[1]]
        inner = functional.grouped_mm(rows, self.gate_up.transpose(1, 2), offs=ends)
        if self.gate_up_bias is not None:
            inner = inner + self.gate_up_bias[experts]
        out = functional.grouped_mm(gated(inner, self.clamp), self.down.transpose(1, 2), offs=ends)
        if self.down_bias is not None:
            out = out + self.down_bias[experts]
        return weighted_sum(out, order, weights)


@triton.jit  # type: ignore[untyped-decorator,unused-ignore]
def _gate_up_kernel(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - one kernel
    states, weight, bias, inner, order, experts, firsts, ends, hidden, width, limit, alpha,
    TOP_K: tl.constexpr, HAS_BIAS: tl.constexpr, CLAMPS: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    block = tl.program_id(0)
    first, end = tl.load(firsts + block), tl.load(ends + block)
    if first >= end:
        return
    expert = tl.load(experts + block)
    row = first + tl.arange(0, ROWS)
    is_row = row < end
    pair = tl.load(order + row, mask=is_row, other=0)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    is_column = column < width
    gate_row = weight + (expert * 2 * width + column)[:, None] * hidden
    gate = tl.zeros((ROWS, COLUMNS), tl.float32)
    up = tl.zeros((ROWS, COLUMNS), tl.float32)
    for at in range(0, hidden, DEPTH):
        depth = at + tl.arange(0, DEPTH)
        is_depth = depth < hidden
        x = tl.load(
            states + (pair // TOP_K)[:, None] * hidden + depth[None],
            mask=is_row[:, None] & is_depth[None],
            other=0.0,
        )
        is_weight = is_column[:, None] & is_depth[None]
        g = tl.load(gate_row + depth[None], mask=is_weight, other=0.0)
        u = tl.load(gate_row + width * hidden + depth[None], mask=is_weight, other=0.0)
        gate += tl.dot(x, tl.trans(g))
        up += tl.dot(x, tl.trans(u))
    if HAS_BIAS:
        at_bias = bias + expert * 2 * width + column
        gate += tl.load(at_bias, mask=is_column, other=0.0)[None]
        up += tl.load(at_bias + width, mask=is_column, other=0.0)[None]
    if CLAMPS:
        gate = tl.minimum(gate, limit)
        up = tl.minimum(tl.maximum(up, -limit), limit) + 1.0
    mixed = gate * tl.sigmoid(gate * alpha) * up
    tl.store(
        inner + pair[:, None] * width + column[None],
        mixed.to(inner.dtype.element_ty),
        mask=is_row[:, None] & is_column[None],
    )


@triton.jit  # type: ignore[untyped-decorator,unused-ignore]
def _down_kernel(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - one kernel
    inner, weight, bias, shares, out, order, experts, firsts, ends, hidden, width,
    HAS_BIAS: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr,
):  # fmt: skip
    block = tl.program_id(0)
    first, end = tl.load(firsts + block), tl.load(ends + block)
    if first >= end:
        return
    expert = tl.load(experts + block)
    row = first + tl.arange(0, ROWS)
    is_row = row < end
    pair = tl.load(order + row, mask=is_row, other=0)
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    is_column = column < hidden
    weight_row = weight + (expert * hidden + column)[:, None] * width
    total = tl.zeros((ROWS, COLUMNS), tl.float32)
    for at in range(0, width, DEPTH):
        depth = at + tl.arange(0, DEPTH)
        is_depth = depth < width
        x = tl.load(
            inner + pair[:, None] * width + depth[None],
            mask=is_row[:, None] & is_depth[None],
            other=0.0,
        )
        w = tl.load(weight_row + depth[None], mask=is_column[:, None] & is_depth[None], other=0.0)
        total += tl.dot(x, tl.trans(w))
    if HAS_BIAS:
        total += tl.load(bias + expert * hidden + column, mask=is_column, other=0.0)[None]
    total *= tl.load(shares + pair, mask=is_row, other=0.0)[:, None]
    tl.store(
        out + pair[:, None] * hidden + column[None],
        total.to(out.dtype.element_ty),
        mask=is_row[:, None] & is_column[None],
    )
