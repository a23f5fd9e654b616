"""Single-token attention over the paged cache on CUDA: each context is split over programs.

One kernel serves grouped heads and the absorbed latent (576 wide keys whose first 512 columns
are the values), at any page size. Nothing here waits for the device, so a step can be captured.
"""

import torch
import triton  # type: ignore[import-not-found,unused-ignore]
import triton.language as tl  # type: ignore[import-not-found,unused-ignore]
from torch import Tensor

from inference.kernels.cuda_plan import key_parts, split_count
from inference.model.paged import DecodeRows, Scoring, TorchOps

TOKENS = 32
# tl.dot wants at least this many rows.
MIN_ROWS = 16


class CudaOps(TorchOps):
    """Attention by Triton; rotation as torch does it."""

    def decode(
        self, query: Tensor, keys: Tensor, values: Tensor, decode: DecodeRows, scoring: Scoring
    ) -> Tensor:
        """query [S, heads, width] -> [S, heads, value width]."""
        sequences, heads, width = query.shape
        kv_heads, value_width = keys.shape[2], values.shape[3]
        group = heads // kv_heads
        rows = max(MIN_ROWS, min(64, triton.next_power_of_2(group)))
        head_blocks = triton.cdiv(group, rows)
        processors = torch.cuda.get_device_properties(query.device).multi_processor_count
        seen = decode.max_length if scoring.window is None else scoring.window
        splits = split_count(sequences * kv_heads * head_blocks, seen, processors)
        main, rest = key_parts(width)
        partial = query.new_empty(sequences, heads, splits, value_width, dtype=torch.float32)
        weight = query.new_empty(sequences, heads, splits, dtype=torch.float32)
        query = query.contiguous()
        _attend_split[(sequences, kv_heads * head_blocks, splits)](
            query, keys, values, decode.tables, decode.lengths, partial, weight,
            scoring.scale, decode.tables.stride(0), heads,
            keys.stride(0), keys.stride(1), keys.stride(2),
            values.stride(0), values.stride(1), values.stride(2),
            GROUP=group, HEAD_BLOCKS=head_blocks, ROWS=rows, PAGE=keys.shape[1],
            WIDTH=width, MAIN=main, REST=rest, VALUE=value_width,
            VALUE_BLOCK=triton.next_power_of_2(value_width), WINDOW=scoring.window or 0,
            SPLITS=splits, TOKENS=TOKENS,
            SHARED=keys.data_ptr() == values.data_ptr() and value_width == main,
            num_warps=4 if width <= 256 else 8, num_stages=2,
        )  # fmt: skip
        out = torch.empty(sequences, heads, value_width, device=query.device, dtype=query.dtype)
        _merge_splits[(sequences, heads)](
            partial, weight, out if scoring.sinks is None else scoring.sinks, out, heads,
            SPLITS=splits, SPLIT_BLOCK=triton.next_power_of_2(splits), VALUE=value_width,
            VALUE_BLOCK=triton.next_power_of_2(value_width), HAS_SINKS=scoring.sinks is not None,
        )  # fmt: skip
        return out


@triton.jit  # type: ignore[untyped-decorator,unused-ignore]
def _attend_split(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - one kernel
    query, keys, values, tables, lengths, partial, weight, scale, table_stride, heads,
    key_page, key_token, key_head, value_page, value_token, value_head,
    GROUP: tl.constexpr, HEAD_BLOCKS: tl.constexpr, ROWS: tl.constexpr, PAGE: tl.constexpr,
    WIDTH: tl.constexpr, MAIN: tl.constexpr, REST: tl.constexpr, VALUE: tl.constexpr,
    VALUE_BLOCK: tl.constexpr, WINDOW: tl.constexpr, SPLITS: tl.constexpr, TOKENS: tl.constexpr,
    SHARED: tl.constexpr,
):  # fmt: skip
    sequence, part, split = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    kv_head = part // HEAD_BLOCKS
    in_group = part % HEAD_BLOCKS * ROWS + tl.arange(0, ROWS)
    is_head = in_group < GROUP
    head = kv_head * GROUP + in_group
    length = tl.load(lengths + sequence)
    start = 0
    if WINDOW > 0:
        start = tl.maximum(length - WINDOW, 0)
    share = tl.cdiv(tl.cdiv(length - start, SPLITS), TOKENS) * TOKENS
    first = start + split * share
    end = tl.minimum(first + share, length)

    columns = tl.arange(0, MAIN)
    query_row = (sequence * heads + head) * WIDTH
    main = tl.load(query + query_row[:, None] + columns[None], mask=is_head[:, None], other=0.0)
    if REST > 0:
        more = tl.arange(0, REST)
        is_more = MAIN + more < WIDTH
        rest = tl.load(
            query + query_row[:, None] + MAIN + more[None],
            mask=is_head[:, None] & is_more[None],
            other=0.0,
        )
    value_columns = tl.arange(0, VALUE_BLOCK)
    most = tl.full((ROWS,), -float("inf"), tl.float32)
    total = tl.zeros((ROWS,), tl.float32)
    mixed = tl.zeros((ROWS, VALUE_BLOCK), tl.float32)
    for at in range(first, end, TOKENS):
        token = at + tl.arange(0, TOKENS)
        is_token = token < end
        page = tl.load(tables + sequence * table_stride + token // PAGE, mask=is_token, other=0)
        place = page.to(tl.int64) * key_page + token % PAGE * key_token + kv_head * key_head
        key = tl.load(keys + place[:, None] + columns[None], mask=is_token[:, None], other=0.0)
        scores = tl.dot(main, tl.trans(key))
        if REST > 0:
            key_rest = tl.load(
                keys + place[:, None] + MAIN + more[None],
                mask=is_token[:, None] & is_more[None],
                other=0.0,
            )
            scores += tl.dot(rest, tl.trans(key_rest))
        scores = tl.where(is_token[None], scores * scale, -float("inf"))
        peak = tl.maximum(most, tl.max(scores, 1))
        fade = tl.exp(most - peak)
        shares = tl.exp(scores - peak[:, None])
        total = total * fade + tl.sum(shares, 1)
        if SHARED:
            value = key
        else:
            place = page.to(tl.int64) * value_page + token % PAGE * value_token
            value = tl.load(
                values + (place + kv_head * value_head)[:, None] + value_columns[None],
                mask=is_token[:, None] & (value_columns[None] < VALUE),
                other=0.0,
            )
        mixed = mixed * fade[:, None] + tl.dot(shares.to(value.dtype), value)
        most = peak
    row = (sequence * heads + head) * SPLITS + split
    is_empty = first >= end
    # An empty part weighs nothing when the parts are merged.
    logged = tl.where(is_empty, -float("inf"), most + tl.log(tl.where(is_empty, 1.0, total)))
    tl.store(weight + row, logged, mask=is_head)
    mixed = mixed / tl.where(is_empty, 1.0, total)[:, None]
    tl.store(
        partial + row[:, None] * VALUE + value_columns[None],
        mixed,
        mask=is_head[:, None] & (value_columns[None] < VALUE),
    )


@triton.jit  # type: ignore[untyped-decorator,unused-ignore]
def _merge_splits(  # type: ignore[no-untyped-def]  # noqa: PLR0913 - one kernel
    partial, weight, sinks, out, heads,
    SPLITS: tl.constexpr, SPLIT_BLOCK: tl.constexpr, VALUE: tl.constexpr,
    VALUE_BLOCK: tl.constexpr, HAS_SINKS: tl.constexpr,
):  # fmt: skip
    sequence, head = tl.program_id(0), tl.program_id(1)
    row = sequence * heads + head
    split = tl.arange(0, SPLIT_BLOCK)
    logged = tl.load(weight + row * SPLITS + split, mask=split < SPLITS, other=-float("inf"))
    peak = tl.max(logged, 0)
    if HAS_SINKS:
        sink = tl.load(sinks + head)
        peak = tl.maximum(peak, sink)
    shares = tl.exp(logged - peak)
    total = tl.sum(shares, 0)
    if HAS_SINKS:
        # A sink takes its share and gives nothing.
        total += tl.exp(sink - peak)
    column = tl.arange(0, VALUE_BLOCK)
    parts = tl.load(
        partial + (row * SPLITS + split)[:, None] * VALUE + column[None],
        mask=(split < SPLITS)[:, None] & (column[None] < VALUE),
        other=0.0,
    )
    mixed = tl.sum(parts * (shares / total)[:, None], 0)
    tl.store(out + row * VALUE + column, mixed.to(out.dtype.element_ty), mask=column < VALUE)
