"""Attention over the paged cache: a plan per step, then one call per layer.

Rows that bring one token read the cache in place (a kernel where there is one); prefill chunks
gather their sequence's blocks and use torch's fused attention.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from inference.model.batch import StepBatch
from inference.model.cache import KvCache, pages_write
from inference.model.rope import rotate


@dataclass(frozen=True, slots=True)
class Scoring:
    """How one layer scores: scale, sliding window or None, sink logits [heads] or None."""

    scale: float
    window: int | None = None
    sinks: Tensor | None = None


@dataclass(frozen=True, slots=True)
class DecodeRows:
    """Sequences with one new token. `rows` None means every row of the batch, in order."""

    rows: Tensor | None
    tables: Tensor
    lengths: Tensor
    max_length: int


class StepOps(Protocol):
    """The parts of attention that devices do in their own way."""

    def rotate(self, states: Tensor, turned: int, cos: Tensor, sin: Tensor) -> Tensor:
        """States [T, heads, dim] with the first `turned` heads rotated; may work in place."""
        ...

    def write(self, pages: Tensor, slots: Tensor, states: Tensor) -> None:
        """Store states [T, heads, width] at flat slots [T] of one layer's keys or values."""
        ...

    def decode(
        self, query: Tensor, keys: Tensor, values: Tensor, decode: DecodeRows, scoring: Scoring
    ) -> Tensor:
        """query [S, heads, width], paged keys and values -> [S, heads, value width]."""
        ...


class TorchOps:
    """Plain torch: what every kernel is checked against."""

    def rotate(self, states: Tensor, turned: int, cos: Tensor, sin: Tensor) -> Tensor:
        rotated = rotate(states[:, :turned], cos, sin)
        return rotated if turned == states.shape[1] else torch.cat((rotated, states[:, turned:]), 1)

    def write(self, pages: Tensor, slots: Tensor, states: Tensor) -> None:
        pages_write(pages, slots, states)

    def decode(
        self, query: Tensor, keys: Tensor, values: Tensor, decode: DecodeRows, scoring: Scoring
    ) -> Tensor:
        return decode_reference(query, keys, values, decode, scoring)


@dataclass(slots=True)
class Prefill:
    """A chunk of one sequence: rows first .. first + query of the batch."""

    first: int
    query: int
    context: int
    table: Tensor
    _masks: dict[tuple[int | None, int], Tensor] = field(default_factory=dict)

    def is_whole(self, scoring: Scoring) -> bool:
        """A prompt from its start, where plain causal attention is all there is to it."""
        is_narrow = scoring.window is not None and scoring.window < self.context
        return self.query == self.context and not is_narrow and scoring.sinks is None

    def span(self, window: int | None, block_size: int) -> int:
        """The first position any of its rows can see, rounded down to a block."""
        if window is None:
            return 0
        return max(0, self.context - self.query - window + 1) // block_size * block_size

    def mask(self, window: int | None, start: int) -> Tensor:
        """[query, context - start], True where a row may look; the same for all layers."""
        if (window, start) not in self._masks:
            device = self.table.device
            rows = torch.arange(self.context - self.query, self.context, device=device)[:, None]
            columns = torch.arange(start, self.context, device=device)
            seen = columns <= rows
            if window is not None:
                seen = seen & (columns > rows - window)
            self._masks[(window, start)] = seen
        return self._masks[(window, start)]


@dataclass(frozen=True, slots=True)
class AttentionPlan:
    """One step's batch, split once for all layers."""

    decode: DecodeRows | None
    prefills: tuple[Prefill, ...]
    rows: int
    block_size: int


def attention_plan(batch: StepBatch, block_size: int) -> AttentionPlan:
    """Split a batch into single-token rows and prefill chunks."""
    lengths = batch.lengths
    rows: list[int] = []
    sequences: list[int] = []
    prefills: list[Prefill] = []
    first = 0
    for index, (query, context) in enumerate(lengths):
        if query == 1:
            rows.append(first)
            sequences.append(index)
        else:
            table = batch.block_tables[index, : -(-context // block_size)]
            prefills.append(Prefill(first, query, context, table))
        first += query
    decode = _decode_rows(batch, rows, sequences) if rows else None
    return AttentionPlan(decode, tuple(prefills), first, block_size)


def _decode_rows(batch: StepBatch, rows: list[int], sequences: list[int]) -> DecodeRows:
    longest = max(batch.lengths[index][1] for index in sequences)
    if len(sequences) == len(batch.block_tables):
        return DecodeRows(None, batch.block_tables, batch.context_lens, longest)
    device = batch.token_ids.device
    chosen = torch.tensor(sequences, device=device)
    return DecodeRows(
        torch.tensor(rows, device=device),
        batch.block_tables[chosen],
        batch.context_lens[chosen],
        longest,
    )


# chunk, its first position -> keys [C, kv_heads, width], values [C, kv_heads, width]
Gather = Callable[[Prefill, int], tuple[Tensor, Tensor]]


def gather_pages(pages: Tensor, table: Tensor, start: int, end: int) -> Tensor:
    """Positions start .. end of a sequence, [end - start, heads, width]; start is on a block."""
    block_size = pages.shape[1]
    blocks = table[start // block_size : -(-end // block_size)].long()
    return pages[blocks].flatten(0, 1)[: end - start]


def attend_whole(query: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
    """query [Q, heads, width], keys and values [Q, kv_heads, width] -> [Q, heads, V], causal."""
    groups = query.shape[1] // keys.shape[1]
    query, keys, values = (part.transpose(0, 1)[None] for part in (query, keys, values))
    out = functional.scaled_dot_product_attention(
        query, keys, values, is_causal=True, scale=scale, enable_gqa=groups > 1
    )
    return out[0].transpose(0, 1)


def attend_one(
    query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, scoring: Scoring
) -> Tensor:
    """query [Q, heads, width], keys and values [C, kv_heads, width], mask [Q, C] -> [Q, heads, V].

    The heads of a group become extra query rows of their key head, so nothing is repeated.
    """
    rows, heads, _ = query.shape
    groups = heads // keys.shape[1]
    # [kv_heads, groups * Q, width]
    folded = query.view(rows, -1, groups, query.shape[2]).permute(1, 2, 0, 3).flatten(1, 2)
    if mask is not None:
        mask = mask.repeat(groups, 1)
    keys, values = keys.transpose(0, 1), values.transpose(0, 1)
    if scoring.sinks is None:
        out = functional.scaled_dot_product_attention(
            folded[None], keys[None], values[None], attn_mask=mask, scale=scoring.scale
        )[0]
    else:
        out = _with_sinks(folded, keys, values, mask, scoring.scale, scoring.sinks)
    return out.view(-1, groups, rows, values.shape[2]).permute(2, 0, 1, 3).flatten(1, 2)


def _with_sinks(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    mask: Tensor | None,
    scale: float,
    sinks: Tensor,
) -> Tensor:
    """A sink is one more column that takes probability and gives no value."""
    kv_heads, rows, _ = query.shape
    scores = torch.matmul(query.float(), keys.float().transpose(1, 2)) * scale
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    sinks = sinks.float().view(kv_heads, -1, 1)
    sinks = sinks.repeat_interleave(rows // sinks.shape[1], dim=1)
    shares = torch.cat((scores, sinks), dim=-1).softmax(dim=-1)[..., :-1]
    return torch.matmul(shares.to(values.dtype), values)


def decode_reference(
    query: Tensor, keys: Tensor, values: Tensor, decode: DecodeRows, scoring: Scoring
) -> Tensor:
    """Single-token rows one sequence at a time: what every kernel is checked against."""
    block_size = keys.shape[1]
    out = []
    for row, length in enumerate(decode.lengths.tolist()):
        seen = length if scoring.window is None else min(length, scoring.window)
        start = (length - seen) // block_size * block_size
        table = decode.tables[row]
        skipped = length - seen - start
        out.append(
            attend_one(
                query[row : row + 1],
                gather_pages(keys, table, start, length)[skipped:].to(query.dtype),
                gather_pages(values, table, start, length)[skipped:].to(query.dtype),
                None,
                scoring,
            )
        )
    return torch.cat(out)


@dataclass(frozen=True, slots=True)
class StepContext:
    """What every layer of one step shares."""

    plan: AttentionPlan
    cache: KvCache
    slots: Tensor
    cos: Tensor
    sin: Tensor
    ops: StepOps

    def rotate(self, states: Tensor, turned: int | None = None) -> Tensor:
        """States [T, heads, dim] with the first heads, or all, turned to their positions."""
        count = states.shape[1] if turned is None else turned
        return self.ops.rotate(states, count, self.cos, self.sin)

    def write(self, layer: int, keys: Tensor, values: Tensor | None) -> None:
        """Keep keys, values [T, heads, width]; a latent has no values."""
        self.ops.write(self.cache.keys[layer], self.slots, keys)
        if values is not None:
            self.ops.write(self.cache.values[layer], self.slots, values)

    def attend(
        self,
        decode: Callable[[Tensor], Tensor],
        query: Tensor,
        gather: Gather,
        value_width: int,
        scoring: Scoring,
    ) -> Tensor:
        """query [T, heads, width] -> [T, heads, value_width]; `decode` takes single-token rows."""
        single = self.plan.decode
        if single is not None and single.rows is None:
            return decode(query)
        out = query.new_empty(*query.shape[:2], value_width)
        if single is not None:
            out[single.rows] = decode(query[single.rows])
        for chunk in self.plan.prefills:
            start = chunk.span(scoring.window, self.plan.block_size)
            keys, values = gather(chunk, start)
            rows = slice(chunk.first, chunk.first + chunk.query)
            if chunk.is_whole(scoring):
                out[rows] = attend_whole(query[rows], keys, values, scoring.scale)
            else:
                mask = chunk.mask(scoring.window, start)
                out[rows] = attend_one(query[rows], keys, values, mask, scoring)
        return out

    def attend_decode(self, layer: int, query: Tensor, scoring: Scoring) -> Tensor:
        """The single-token rows, [S, heads, width] -> [S, heads, value width]."""
        single = self.plan.decode
        if single is None:
            raise ValueError("no sequence of this step brings a single token")
        return self.ops.decode(
            query, self.cache.keys[layer], self.cache.values[layer], single, scoring
        )
